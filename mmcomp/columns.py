"""Names of columns and classes: what joins the parts of mmcomp."""

#: The classes, unless a config names others.
CLASSES = ('posed', 'spontaneous')
#: Field of a stack's predictions that holds the scores of each member.
MEMBER_SCORES = 'member_scores'

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
# Variants of a network in a prediction table, empty where they do not apply.
TRAIN_SUBJECTS = 'train_subjects'  # size of the training set, of a learning curve
CONTROL = 'control'  # one of mmcomp.datasets.controls
SHIFT = 'shift_px'  # distance in pixels that the apex was moved by for the test
VARIANT = (TRAIN_SUBJECTS, CONTROL, SHIFT)
# The table of a stack's member has the stack's name and the member's, which is its
# MODEL too. Both are empty for a stack itself and for a network trained alone.
STACK = 'stack'
MEMBER = 'member'

# Clip table: a row for each clip, before onset and apex are known or cut out. CLIP is a
# video file or a folder of frames; ONSET_FRAME and APEX_FRAME are the numbers of its
# frames where a database tells them.
CLIP = 'clip'
ONSET_FRAME = 'onset_frame'
APEX_FRAME = 'apex_frame'
OFFSET_FRAME = 'offset_frame'  # where the expression ends
# The part of the clip to search, in seconds from its first frame.
CLIP_START = 'clip_start'
CLIP_END = 'clip_end'
# Eye positions in the original images, where a database tells them: 'x y x y' in
# pixels, first the eye on the image's left.
ONSET_EYES = 'onset_eyes'
APEX_EYES = 'apex_eyes'
EMOTION = 'emotion'
GENDER = 'gender'
DATABASE = 'database'
