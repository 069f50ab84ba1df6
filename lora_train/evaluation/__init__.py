"""Are the generated pictures varied, the right person, their own, and what the prompt asked for?

Import :mod:`.diversity` for the verdict and :mod:`.embed` for the embedder; nothing heavy is imported here.
"""
