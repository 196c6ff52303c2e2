"""Controls: pairs spoilt on purpose, to see whether a result rests on them."""

#: What ``PairDataset(control=...)`` may be.
CONTROLS = ('onset-only', 'apex-only', 'swapped', 'shuffled-labels')
