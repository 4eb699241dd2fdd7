"""What a person has to judge can be made to wait for one; and what is reviewed at all, whatever paths were asked for."""

STRICT = ("--against", "main", "--fail-on", "unknown")


def only(answer):
    (change,) = answer["changes"]
    return change


def test_what_has_to_be_judged_waits_until_somebody_answers_for_it(repository):
    (repository.folder / "spec.yaml").unlink()
    assert repository.answer("--against", "main")[0] == 0
    code, answer = repository.answer(*STRICT)
    change = only(answer)
    assert (code, answer["summary"]["passed"], change["direction"]) == (1, False, "unknown")
    assert [each["severity"] for each in answer["findings"]] == ["error"]
    approve = ("--approve", change["fingerprint"])
    assert approve[1] in repository.review(*STRICT)[1]
    code, answer = repository.answer(*STRICT, *approve)
    assert (code, answer["summary"]["passed"], only(answer)["allowed_by"]) == (0, True, "approved")


def test_a_policy_may_allow_what_has_to_be_judged(governed):
    law = governed.folder / "policies" / "ours.yaml"
    law.write_text(law.read_text() + '  - {id: again, expr: change.pointer == "/data/split/seed"}\n', encoding="utf-8")
    governed.commit()
    governed.git("branch", "-f", "main")
    governed.edit("spec.yaml", "seed: 11", "seed: 12")
    code, answer = governed.answer(*STRICT)
    assert (code, only(answer)["allowed_by"]) == (0, "ours again")


def test_who_approves_something_new_approves_what_it_says(repository):
    other = repository.folder / "other.yaml"
    text = (repository.folder / "spec.yaml").read_text(encoding="utf-8").replace("digits-diffusion", "other")
    other.write_text(text, encoding="utf-8")
    fingerprint = only(repository.answer(*STRICT)[1])["fingerprint"]
    assert repository.review(*STRICT, "--approve", fingerprint)[0] == 0
    other.write_text(text.replace("tol_FID: 60.0", "tol_FID: 600.0"), encoding="utf-8")
    assert repository.review(*STRICT, "--approve", fingerprint)[0] == 1


def test_an_edit_of_a_policy_is_told_whatever_was_asked_for(governed):
    law = governed.folder / "policies" / "ours.yaml"
    law.write_text(law.read_text().replace("70", "700"), encoding="utf-8")
    answer = governed.answer("--against", "main", "spec.yaml")[1]
    assert "policy-changed" in {each["kind"] for each in answer["changes"]}


def test_documents_elsewhere_are_not_counted(repository):
    assert repository.answer("--against", "main", "spec.yaml")[1]["summary"]["same"] == 1


def test_a_path_outside_the_repository_is_no_review(repository, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    for path in (str(outside), "../.."):
        code, _, err = repository.review("--against", "main", path)
        assert code == 2
        assert "it lies outside the repository that is reviewed" in err
