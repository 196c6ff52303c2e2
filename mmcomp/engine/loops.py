"""FitStackLoop: a training without steps, which only fits an SVM."""

from mmengine.runner import EpochBasedTrainLoop

from mmcomp.compat import end_epoch
from mmcomp.registry import LOOPS


@LOOPS.register_module()
class FitStackLoop(EpochBasedTrainLoop):
    """Only fit the SVM of a stack whose members were trained separately.

    One epoch without a step: hooks run as at the end of a training, so the SVM is
    fitted, a checkpoint saved, the test set evaluated.
    """

    def __init__(self, runner, dataloader) -> None:
        super().__init__(runner, dataloader, max_epochs=1)

    def run_epoch(self) -> None:
        """End an epoch that had no steps."""
        self.runner.call_hook('before_train_epoch')
        self.runner.call_hook('after_train_epoch')
        end_epoch(self)
