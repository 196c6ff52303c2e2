_base_ = './zhang2011_sift-fap.py'

# Ours: SIFT and distances of the apex less those of the onset.
model = dict(features=dict(images='pair'))
