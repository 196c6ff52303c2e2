"""Features of aligned faces: pure functions of arrays.

Importing this does not import PyTorch. The classes that a config may name are in
:mod:`mmcomp.models.fitted`.
"""
