"""Names of the columns of the two tables that join the parts of mmcomp."""

# Pair table: a row for each pair.
ID = 'sample_id'
SUBJECT = 'subject'
ONSET = 'onset'
APEX = 'apex'
LABEL = 'label'

# Prediction table: a row for each pair that a run tested. ID, SUBJECT and LABEL are as
# above; SCORE with the name of a class is its score.
SCORE = 'score_'
PREDICTED = 'predicted'
MODEL = 'model'
FOLD = 'fold'
SEED = 'seed'
