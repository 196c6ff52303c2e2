"""Pair the apex images of each rendered subject: same expression, or another."""

import sys

import pandas as pd

from mmcomp.synthetic import ensure_dataset

table = ensure_dataset(sys.argv[1] if len(sys.argv) > 1 else 'nvie-subset', 'data')
data = pd.read_csv(table, dtype=str, keep_default_na=False)  # names, not numbers
data['path'] = [str(table.parent.resolve() / apex) for apex in data['apex']]
rows = []
for subject, group in data.groupby('subject'):
    for emotion, same in group.groupby('emotion'):
        other = group[group['emotion'] != emotion]
        for label, second in (('same', same.iloc[1]), ('different', other.iloc[0])):
            sample_id = f'{subject}-{emotion}-{label}'
            rows.append(
                [sample_id, subject, same.iloc[0]['path'], second['path'], label]
            )
columns = ['sample_id', 'subject', 'onset', 'apex', 'label']
pd.DataFrame(rows, columns=columns).to_csv('pairs.csv', index=False)
