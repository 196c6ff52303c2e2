"""Allowed values of options, from modules that are too slow to import for a parser.

A test compares each with its source.
"""

CONTROLS = ('onset-only', 'apex-only', 'swapped', 'shuffled-labels')
EMOTIONS = ('happiness', 'sadness', 'fear', 'anger', 'disgust', 'surprise')
FORMATS = ('onnx', 'torch-export', 'safetensors')
LABELS = ('posed', 'spontaneous')
LEVELS = ('lab', 'hard')
#: Number of pairs of each preset of rendered data.
PRESETS = {'nvie-subset': 1028, 'nvie-full': 4203, 'spos': 234, 'tiny': 72}
