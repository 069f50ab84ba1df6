"""``python -m lora_train <verb>``: the same as the command ``lorasmith``."""

from .cli import main

raise SystemExit(main())
