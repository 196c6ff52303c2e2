# A model that is fitted at once. A config adds features and a classifier.

# The aligned faces that it takes; images of another size are refused.
alignment = dict(size=48, color='grayscale')
model = dict(type='mmcomp.FittedPairClassifier', num_classes=2)
