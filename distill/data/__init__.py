"""Data of the training: readers of published formats, and pairs of a target crop and a search crop. Does not need torch.

A reader gives clips (`distill.data.clips`) without opening a picture. `distill.data.pairs` reads the pictures when it draws them.
"""
