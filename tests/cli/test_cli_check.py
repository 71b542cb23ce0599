"""``check``: the exit code is the verdict's."""

import json

from attn_verify import check


def test_the_worked_example_holds(run):
    code, out, err = run("check", "worked-example")
    assert (code, err) == (0, "")
    assert "attention" in out
    assert "UNDECIDED" in out


def test_json_is_the_dict_of_the_api(run):
    outcome = run("check", "worked-example", "--json")
    assert outcome.code == 0
    assert outcome.data == json.loads(json.dumps(check("worked-example").to_dict()))
    assert set(outcome.data) >= {"document", "status", "claims", "diagnosis", "seed", "version"}


def test_a_missing_document(refuse):
    refuse("check", "absent.json", cause="there is no such file", remedy="worked-example")


def test_a_document_that_is_none(refuse, tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[1, 2", "utf-8")
    refuse("check", path, cause="not JSON", remedy="document format")
    refuse("check", tmp_path, cause="directory", remedy="worked-example")
