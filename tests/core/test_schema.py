"""Documents: strict text, a kind, a schema number, and files that are whole."""

import json
import stat
import sys
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routilux_core import InvalidDocument, NewerSchema, RoutiluxError, UnknownKey
from routilux_core.schema import Schema, check_keys, load, read, save_text, write

# -- text ----------------------------------------------------------------------------------------------------


def test_a_document_comes_back():
    document = {
        "schema": 1,
        "text": "né\n\u2028",
        "numbers": [0, -1, 1.5, 1e300],
        "none": None,
        "deep": {"a": [{}]},
    }

    assert read(write(document)) == document
    assert read(write(document).encode()) == document
    assert read(write(document, indent=2)) == document


def test_the_same_document_is_the_same_text():
    assert write({"b": 1, "a": [1.5, "é"]}) == '{"b": 1, "a": [1.5, "é"]}'


REFUSED = {
    "nothing": ("", "line 1, column 1"),
    "cut off": ('{"a": [1, 2', "it was cut off"),
    "cut off in text": ('{"a": "hal', "it was cut off"),
    "more than one": ('{"a": 1} {"b": 2}', "Extra data"),
    "a list": ("[1]", "an object is wanted"),
    "text alone": ('"a"', "an object is wanted"),
    "a huge list": ("[" + "1," * 10_000 + "1]", "an object is wanted"),
    "NaN": ('{"a": NaN}', "NaN is no JSON"),
    "Infinity": ('{"a": [-Infinity]}', "-Infinity is no JSON"),
    "a number that is infinite": ('{"a": 1e999}', "too large"),
    "a key twice": ('{"b": 0, "a": 1, "a": 2}', "the key 'a' twice"),
    "a key twice, deep": ('{"x": [{"a": 1, "\\u0061": 2}]}', "the key 'a' twice"),
    "a long key twice": ("{" + ", ".join([f'"{"k" * 100_000}": 1'] * 2) + "}", "twice"),
    "a huge whole number": ('{"a": %s}' % ("9" * 100_000), "whole number of 100000 digits"),
    "a lone surrogate": ('{"a": "\\ud800"}', "lone surrogate"),
    "a lone surrogate as key": ('{"a": [{"\\uDFFF": 1}]}', "lone surrogate"),
    "a raw lone surrogate": ('{"a": "\ud800"}', "no UTF-8"),
    "deep lists": ('{"a": ' + "[" * 10_000 + "]" * 10_000 + "}", "deeper than"),
    "deep objects": ('{"a": ' * 10_000 + "1" + "}" * 10_000, "deeper than"),
    "somewhat deep lists": ('{"a": ' + "[" * 400 + "]" * 400 + "}", "deeper than"),
    "deep and cut off": ('{"a": ' + "[" * 100_000, "deeper than"),
    "Latin-1": (b'{"a": "\xe9"}', "no UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "no UTF-8"),
    "a control character": ('{"a": "\x01"}', "control character"),
    "single quotes": ("{'a': 1}", "line 1, column 2"),
    "a comma too much": ('{"a": 1,}', "line 1"),
    "no JSON at all": (b"\x80\x04K\x01.", "no UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_doubtful_text_is_refused_in_a_line(name):
    text, said = REFUSED[name]

    with pytest.raises(InvalidDocument) as caught:
        read(text, "job_state")

    assert said in str(caught.value)
    assert str(caught.value).startswith("job_state cannot be read: ")
    assert len(str(caught.value)) < 300


WHOLE = write({"schema": 1, "rows": [{"a": 1.5, "é": [None, True, "\\"]}, -12], "text": "x\n"})


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, len(WHOLE) - 1),
    st.sampled_from(["", '"', "{", "]", ",", "\\", "\\ud800", "9" * 500, "\0", "1e999"]),
)
def test_damaged_text_is_read_or_refused_and_nothing_else(place, damage):
    text = WHOLE[:place] + damage + WHOLE[place + 1 :]
    try:
        document = read(text)
    except InvalidDocument as error:
        assert len(str(error)) < 300  # noqa: PT017 - most are refused
        return

    assert read(write(document)) == document


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_text_that_was_cut_off_is_refused(length):
    with pytest.raises(InvalidDocument):
        read(WHOLE[:length])


def test_a_pair_of_surrogates_is_a_letter():
    assert read('{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_depth_is_the_same_whatever_the_stack():
    def far_down(levels):
        return far_down(levels - 1) if levels else read('{"a": ' + "[" * 250 + "]" * 250 + "}")

    assert far_down(0) == far_down(100)


def test_large_whole_numbers_are_read_where_python_shows_none():
    limit = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(0)
        with pytest.raises(InvalidDocument, match="whole number of"):
            read('{"a": %s}' % ("9" * 5_000_000))
    finally:
        sys.set_int_max_str_digits(limit)


@pytest.mark.parametrize(
    "document", [{"a": float("nan")}, {"a": object()}, {"a": "\ud800"}, {"a": 10**5000}, {(1, 2): 3}]
)
def test_what_is_no_json_is_not_written(document):
    with pytest.raises(InvalidDocument, match="it is no JSON"):
        write(document)


def test_what_contains_itself_is_not_written():
    document: dict[str, object] = {}
    document["a"] = document

    with pytest.raises(InvalidDocument):
        write(document)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("item", "tail", "fine"),
    [
        ('{"id": 12345, "name": "somebody", "x": 1.5}', "", True),
        ('{"id": 12345, "name": "somebody"}', "!", False),
    ],
)
def test_fifty_megabytes_are_read_or_refused_in_seconds(item, tail, fine):
    text = '{"a": [' + ", ".join([item] * (50_000_000 // (len(item) + 2))) + "]" + tail + "}"
    begin = process_time()

    if fine:
        read(text)
    else:
        with pytest.raises(InvalidDocument) as caught:
            read(text)
        assert len(str(caught.value)) < 300

    assert process_time() - begin < 20


# -- schemas -------------------------------------------------------------------------------------------------


def _rename(document):
    document["routines"] = document.pop("nodes")
    return document


def _number(document):
    document["routines"] = dict(enumerate(document["routines"]))
    return document


SCHEMA = Schema("flow", 3, {1: _rename, 2: _number})


def test_an_envelope_is_opened():
    document = SCHEMA.envelope({"routines": {}})

    assert document == {"schema": 3, "kind": "flow", "routines": {}}
    assert SCHEMA.open(document) == {"routines": {}}
    assert document["schema"] == 3


@pytest.mark.parametrize(("number", "key"), [(1, "nodes"), (2, "routines")])
def test_an_older_document_is_brought_up_step_by_step(number, key):
    document = {"schema": number, "kind": "flow", key: ["a", "b"]}

    assert SCHEMA.open(document) == {"routines": {0: "a", 1: "b"}}
    assert document == {"schema": number, "kind": "flow", key: ["a", "b"]}


def test_a_newer_document_is_refused_by_its_number():
    with pytest.raises(
        NewerSchema, match="it has schema 4, and this version reads up to 3; update"
    ) as caught:
        SCHEMA.open({"schema": 4, "kind": "flow", "anything": 1})

    assert (caught.value.number, caught.value.newest) == (4, 3)
    assert isinstance(caught.value, (InvalidDocument, RoutiluxError, ValueError))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "an object is wanted"),
        ({}, "its kind is None"),
        ({"schema": 1, "kind": "job_state"}, "its kind is 'job_state'; give a document of kind 'flow'"),
        ({"schema": 1, "kind": ["flow"]}, "its kind is \\['flow'\\]"),
        ({"kind": "flow"}, "its schema is None"),
        ({"schema": True, "kind": "flow"}, "its schema is True"),
        ({"schema": 0, "kind": "flow"}, "its schema is 0"),
        ({"schema": "1", "kind": "flow"}, "its schema is '1'"),
        ({"schema": 1.0, "kind": "flow"}, "its schema is 1.0"),
        ({"schema": 10**4000, "kind": "flow"}, "an integer of 13288 bits"),
        ({"schema": 1, "kind": "flow", "edges": []}, "no document of schema 1 .KeyError: 'nodes'"),
    ],
)
def test_what_is_no_such_document_is_refused(document, said):
    with pytest.raises(InvalidDocument, match=said):
        SCHEMA.open(document)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (5, "flow.routines\\[0\\] cannot be read: it is 5, and an object is wanted"),
        ({"id": 1, "clas": "x"}, "it has no key 'clas'; it has: id, class, config; did you mean 'class'"),
        ({"id": 1, "k" * 100_000: "x"}, "it has no key 'kkk"),
        ({"class": "x"}, "it needs the key 'id'"),
    ],
)
def test_keys_are_checked_by_name(data, said):
    with pytest.raises(InvalidDocument, match=said) as caught:
        check_keys(data, "flow.routines[0]", ["id"], ["class", "config"])

    assert len(str(caught.value)) < 400


def test_an_unknown_key_is_data_of_the_error():
    with pytest.raises(UnknownKey) as caught:
        check_keys({"x": 1}, "flow", ["id"])

    assert (caught.value.path, caught.value.name, caught.value.known) == ("flow", "x", ("id",))


# -- files ---------------------------------------------------------------------------------------------------


def test_a_file_is_private_and_whole(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old", "utf-8")
    path.chmod(0o644)

    save_text(path, "né")

    assert path.read_bytes() == "né".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    path.write_text("old", "utf-8")

    with pytest.raises(UnicodeEncodeError):
        save_text(path, "x" * 100_000 + "\ud800")

    assert path.read_text("utf-8") == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_link_keeps_being_one(tmp_path):
    target, link = tmp_path / "real" / "state.json", tmp_path / "state.json"
    target.parent.mkdir()
    link.symlink_to(target)

    save_text(link, "new")

    assert link.is_symlink()
    assert target.read_text("utf-8") == "new"


def test_a_file_is_loaded_and_named_in_what_is_wrong_with_it(tmp_path):
    path = tmp_path / "flow.json"
    save_text(path, write(SCHEMA.envelope({"routines": {}})))
    assert load(path, "flow", SCHEMA.open) == {"routines": {}}

    save_text(path, write({"schema": 9, "kind": "flow"}))

    with pytest.raises(NewerSchema, match="it has schema 9") as caught:
        load(path, "flow", SCHEMA.open)
    assert str(caught.value).startswith(f"{path}: flow cannot be read: ")
    assert caught.value.number == 9


def test_a_missing_folder_is_an_error_of_the_system(tmp_path):
    """Named as it was given, and not as the temporary file is."""
    for path in (tmp_path / "nowhere" / "state.json", tmp_path):
        with pytest.raises(OSError, match=r"No such file|directory") as caught:
            save_text(path, "{}")
        assert caught.value.filename == str(path)
        assert caught.value.filename2 is None


def test_the_working_folder_is_the_folder_of_a_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    save_text("state.json", json.dumps({"a": 1}))

    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
