"""Dots back into flat names: ``down_blocks_0_attentions_1`` -> ``down_blocks.0.attentions.1``.

kohya's files write every dot as an underscore. Which underscores belong to a word is known for the
words that models use; everything else splits. ``dotted(name.replace(".", "_")) == name`` holds for
every layer of the model families here (tests build them and check).
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS = """
down_blocks up_blocks mid_block input_blocks output_blocks middle_block transformer_blocks
single_transformer_blocks time_embedding add_embedding linear_1 linear_2 time_emb_proj conv_shortcut
conv_in conv_out conv_norm_out proj_in proj_out to_q to_k to_v to_out to_add_out add_q_proj add_k_proj
add_v_proj in_layers out_layers emb_layers skip_connection time_embed label_emb self_attn cross_attn
q_proj k_proj v_proj o_proj out_proj text_model text_projection visual_projection token_embedding
position_embedding final_layer_norm layer_norm1 layer_norm2 double_blocks single_blocks img_attn
txt_attn img_mlp txt_mlp img_mod txt_mod img_in txt_in time_in vector_in guidance_in in_layer out_layer
final_layer adaLN_modulation query_norm key_norm joint_blocks context_block x_block context_embedder
x_embedder t_embedder y_embedder ff_context norm1_context time_text_embed timestep_embedder
text_embedder guidance_embedder norm_out proj_mlp noise_refiner context_refiner cap_embedder
feed_forward patch_embedding text_embedding time_projection k_img v_img norm_q norm_k norm_added_q
norm_added_k to_qkv_mlp_proj to_qkv linear_in linear_out txt_norm pos_embed img_emb gate_proj up_proj
down_proj c_fc c_proj in_proj transformer_resblocks lin1 lin2 DenseReluDense SelfAttention wi_0 wi_1
attention_norm1 attention_norm2 ffn_norm1 ffn_norm2 mlp_in mlp_out llm_adapter embed_tokens
group_norm group_norm_out
"""
_ALTERNATIVES = "|".join(sorted(map(re.escape, _WORDS.split()), key=len, reverse=True))
_TOKEN = re.compile(rf"(?:{_ALTERNATIVES})(?=_|$)|[^_]+")


@lru_cache(maxsize=65536)
def dotted(flat: str) -> str:
    """The dotted name of a flat one; a name that has dots already comes back as it is."""
    return flat if "." in flat else ".".join(_TOKEN.findall(flat))
