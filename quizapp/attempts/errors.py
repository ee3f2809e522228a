"""The ways an attempt is refused."""

from collections.abc import Sequence

from quizapp.core.errors import AppError, Conflict, InvalidInput, NotFound
from quizapp.core.text import N_


class AttemptNotFound(NotFound):
    """Also the answer to somebody else's attempt: its existence stays unknown."""

    message = N_("没有找到这份答卷。")


class AttemptClosed(AppError):
    """The server's clock has passed the deadline, or the paper was handed in. What came is kept as an event."""

    code = "attempt_closed"
    message = N_("这份答卷已经收了，不能再改。")
    http_status = 409


class InvalidChoice(InvalidInput):
    code = "invalid_choice"
    message = N_("这个答案不在选项里，请再点一次选项。")

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).message)


class RegistrationRequired(AppError):
    """A guest's hand-in was kept; the result comes after registration and adoption."""

    code = "registration_required"
    message = N_("答卷收到了。登录后就能看到结果。")
    http_status = 401


class ProfileIncomplete(AppError):
    """``missing`` names what the citizen still has to tell: consent, demographic_group, region, organisation."""

    code = "profile_incomplete"
    message = N_("请先补全资料，答卷替您留着，补好就能看结果。")
    http_status = 409

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(missing=list(missing))
        self.missing = tuple(missing)


class AlreadyAdopted(AppError):
    code = "already_adopted"
    message = N_("这份答卷已经有人认领了。")
    http_status = 409


class AdoptionExpired(AppError):
    code = "adoption_expired"
    message = N_("这份答卷只留 24 小时，现在已经过期了。")
    http_status = 409


class OpenAttemptExists(Conflict):
    """One open attempt per citizen and campaign: ``attempt_id`` is the one to finish first."""

    code = "open_attempt_exists"
    message = N_("您有一份还没交的答卷，请先把它答完。")


class GuestLimitReached(AppError):
    code = "guest_limit_reached"
    message = N_("这部手机今天没登录就答的次数用完了，登录后可以接着答。")
    http_status = 409


class QuizNotFound(NotFound):
    message = N_("这场活动里没有这一关。")


class RoundClosed(AppError):
    """Between two answering windows; ``next_at`` says when the next one opens, if there is one."""

    code = "round_closed"
    message = N_("现在不在答题时间里。")
    http_status = 409


class NotUnlocked(AppError):
    code = "not_unlocked"
    message = N_("这一关还没解锁，先完成前面的。")
    http_status = 409


class ChannelClosed(AppError):
    code = "channel_closed"
    message = N_("这一关不能从这里进入，请换指定的入口。")
    http_status = 409


class EntryRequired(AppError):
    """The campaign asks for a registration of its own first."""

    code = "entry_required"
    message = N_("这场活动要先报名，报好名就能答题。")
    http_status = 409


class EntryClosed(AppError):
    code = "entry_closed"
    message = N_("报名已经结束了。")
    http_status = 409


class TrackFixed(Conflict):
    code = "track_fixed"
    message = N_("赛道和队伍选好以后不能再换。")


class TeamFull(Conflict):
    code = "team_full"
    message = N_("这支队伍的人满了，请换一支或者新建一支。")


class TeamNotFound(NotFound):
    message = N_("没有找到这支队伍。")


class TrialOver(AppError):
    code = "trial_over"
    message = N_("草稿改过了，或者放得太久，请重新试答。")
    http_status = 409
