"""How the starter's weights were made: ``python -m lora_train.starter.train <part> --work DIR``."""
