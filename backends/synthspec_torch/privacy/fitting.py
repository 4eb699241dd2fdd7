"""What a `fit` kernel does about privacy: settle the secret, train, and leave the record of releases."""

from __future__ import annotations

from contextlib import closing

from synthspec.backend.artifacts import TRAINING_LOG, write_report
from synthspec.backend.engines import check_stated_size
from synthspec.backend.protocol import Context, DataError
from synthspec.backend.releases import PRIVACY_RECORD, ReleaseMeter
from synthspec.backend.secret import settle
from synthspec_torch.privacy.training import PrivateCourse, RecordLearner, train_privately
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Trained


def fit_privately(learner: RecordLearner, course: PrivateCourse, context: Context) -> Trained:
    """Train `learner` by `course`; leaves ``training.jsonl`` and ``privacy.json`` in ``context.out``.

    Raises DataError for a network that no bound holds for, for a file of secrets that is not this training's, and for a
    number of records that is not what the block says.
    """
    check_stated_size(course.block, course.records)
    secret = settle(context.secret, context.identity)
    with SignalLog(context.out / TRAINING_LOG) as log, closing(ReleaseMeter(context.meter)) as meter:
        try:
            trained, record = train_privately(learner, course, secret, log, context.progress, meter)
        except TypeError as error:
            raise DataError(
                "P405-4.cross-example-layer", str(error), "choose an architecture without such a layer"
            ) from error
    write_report(context.out, PRIVACY_RECORD, record)
    return trained
