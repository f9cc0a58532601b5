"""Error texts: what is wrong, what exists, what to do."""

import pytest

import routilux_core as errors
from routilux_core import RoutiluxError

EXAMPLES = [
    (
        errors.UnknownName("a", ("b", "c")),
        "nothing is named 'a'; there is: b, c",
        (LookupError, ValueError),
    ),
    (
        errors.UnknownRoutine("fetsh", ("fetch", "store"), "orders"),
        "flow 'orders' has no routine 'fetsh'; it has: fetch, store; did you mean 'fetch'?",
        (LookupError, ValueError),
    ),
    (
        errors.UnknownEvent("out", ("output", "failed"), "fetch"),
        "routine 'fetch' has no event 'out'; it has: output, failed; did you mean 'output'?",
        (LookupError, ValueError),
    ),
    (
        errors.UnknownSlot("x", (), "fetch"),
        "routine 'fetch' has no slot 'x'; it has: nothing",
        (LookupError, ValueError),
    ),
    (
        errors.UnknownComponent("poold", ("pooled", "sequential", "threaded"), "executor"),
        "no executor named 'poold'; installed: pooled, sequential, threaded; did you mean 'pooled'?",
        (LookupError, ValueError),
    ),
    (
        errors.UnknownJob("j", ("k",)),
        "this manager has no job 'j', running or paused; it has: k",
        (LookupError, ValueError),
    ),
    (
        errors.DuplicateName("routine", "a", "flow 'f'"),
        "flow 'f' already has routine 'a'; choose another name",
        (ValueError,),
    ),
    (
        errors.InvalidName("flow id", "a b"),
        (
            "'a b' is not a flow id; use 1 to 128 of A-Z a-z 0-9 . _ - and no dot at the start "
            "(slot and event names: no dot at all)"
        ),
        (ValueError,),
    ),
    (
        errors.InvalidOption("timeout", -1, "a number above 0"),
        "timeout cannot be -1; it takes a number above 0",
        (ValueError, TypeError),
    ),
    (
        errors.InvalidMapping("a.x -> b.y", "n", ("p", "q")),
        "connection a.x -> b.y maps 'p' and 'q' onto 'n'; give each field a name of its own",
        (ValueError,),
    ),
    (
        errors.InvalidHandler("a.x", "7 is not callable"),
        "slot 'a.x' cannot use its handler: 7 is not callable",
        (TypeError,),
    ),
    (
        errors.MissingField("merge.input", "total", "event 'sum.output'", ("value",)),
        (
            "slot 'merge.input' needs 'total', and event 'sum.output' gives: value; "
            "send that field, rename one with param_mapping, or give the parameter a default"
        ),
        (TypeError, LookupError),
    ),
    (
        errors.InvalidPayload("entry_params", "it is of type list"),
        "entry_params gave no payload: it is of type list; a payload is a dict with text keys",
        (TypeError, ValueError),
    ),
    (
        errors.DeliveryError("a.x", "policy", "KeyError: 'order'"),
        (
            "the policy of slot 'a.x' failed: KeyError: 'order'; "
            "the other deliveries are not touched; mend it, or let an error handler go on"
        ),
        (RuntimeError,),
    ),
    (
        errors.InvalidTransition("j", "paused", "completed", ("cancelled", "failed", "running")),
        "job 'j' is paused and cannot become completed; from here it can become: cancelled, failed, running",
        (RuntimeError,),
    ),
    (
        errors.InvalidTransition("j", "completed", "posted to", ()),
        (
            "job 'j' is completed and cannot be posted to; "
            "nothing changes it any more; fork it, or start a new job"
        ),
        (RuntimeError,),
    ),
    (
        errors.FlowMismatch("f", ("slot a.x is gone", "slot a.y is new"), "pass accept_changes=True"),
        "the job state does not fit flow 'f': slot a.x is gone; slot a.y is new; pass accept_changes=True",
        (ValueError,),
    ),
    (
        errors.JobFailed("j", "f", "failed", "OSError: no disk in a.x"),
        "job 'j' of flow 'f' is failed: OSError: no disk in a.x",
        (RuntimeError,),
    ),
    (
        errors.JobTimeout("j", 5),
        "job 'j' reached its time limit of 5 s; raise it with timeout=",
        (TimeoutError,),
    ),
    (
        errors.ActivationTimeout("a.x", 5),
        "slot 'a.x' ran past its timeout of 5 s; raise it, or split the work",
        (TimeoutError,),
    ),
    (
        errors.RunawayLoop(100, "around the loop a -> b -> a"),
        "more than 100 activations, around the loop a -> b -> a; end the loop, or raise max_activations",
        (RuntimeError,),
    ),
    (
        errors.TooMuchPending(100, "a.x", 90),
        (
            "more than 100 activations are pending, 90 of them for slot 'a.x'; "
            "emit from a generator so that the engine can pace it, or raise max_pending"
        ),
        (RuntimeError,),
    ),
    (
        errors.ManagerClosed("job 'j'"),
        "job 'j' was asked of a job manager that is shut down; make a new JobManager",
        (RuntimeError,),
    ),
    (
        errors.InvalidFlow("f", ("slot a.x: no", "slot a.y: neither")),
        "flow 'f' cannot run: slot a.x: no; slot a.y: neither",
        (ValueError,),
    ),
]


@pytest.mark.parametrize(
    ("error", "text", "kinds"),
    EXAMPLES,
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_says_all_three_and_is_of_the_kinds_that_callers_catch(error, text, kinds):
    assert str(error) == text
    assert isinstance(error, RoutiluxError)
    assert isinstance(error, kinds)


KINDS = [
    name
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type)
    and issubclass(kind, Exception)
    and not issubclass(kind, Warning)
]


@pytest.mark.parametrize("name", KINDS)
def test_every_error_descends_from_the_root_and_a_kind_of_pythons(name):
    error = getattr(errors, name)
    if error is RoutiluxError:
        return
    own = [kind for kind in error.__mro__ if kind.__module__ == "builtins"]
    assert issubclass(error, RoutiluxError)
    assert own[0] is not Exception, "callers catch a built-in kind already"


def test_a_miss_far_from_everything_suggests_nothing():
    assert "did you mean" not in str(errors.UnknownEvent("zzz", ("output",), "fetch"))


def test_an_error_keeps_its_data():
    error = errors.MissingField("merge.input", "total", "event 'sum.output'", ("value",))
    assert (error.slot, error.field, error.given) == ("merge.input", "total", ("value",))


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownName("x" * 100_000, ("b", "c")),
        errors.UnknownRoutine("x" * 100_000, ("fetch",), "orders"),
        errors.UnknownEvent("x" * 100_000, ("output",), "fetch"),
        errors.UnknownSlot("x" * 100_000, (), "fetch"),
        errors.UnknownComponent("x" * 100_000, ("pooled",), "executor"),
        errors.InvalidName("flow id", "x" * 100_000),
        errors.InvalidOption("timeout", "x" * 100_000, "a number"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_shows_no_more_than_a_line_of_what_was_given(error):
    assert len(str(error)) < 400


def test_an_id_is_shown_whole():
    assert "x" * 128 in str(errors.UnknownEvent("x" * 128, ("output",), "fetch"))
