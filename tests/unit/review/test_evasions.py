"""Ways to get a looser spec past a review without an edit that it sees: links, names, spellings, folders it passes over."""

import pytest

LOOSER = ("tol_FID: 60.0", "tol_FID: 600.0")


def pointers(answer):
    return {(each["pointer"], each["direction"]) for each in answer["changes"]}


FID = ("/contracts/C40-511/tol_FID", "loosened")


def behind_a_link(repo):
    repo.edit("spec.yaml", *LOOSER)
    (repo.folder / "spec.yaml").rename(repo.folder / "other.yaml")
    (repo.folder / "spec.yaml").symlink_to("other.yaml")


def behind_a_linked_folder(repo):
    """The SRef is reached over a link that did not lead anywhere before."""
    (repo.folder / "more").mkdir()
    (repo.folder / "digits.sref.yaml").rename(repo.folder / "more" / "digits.sref.yaml")
    (repo.folder / "near").symlink_to("more")
    repo.edit("spec.yaml", "sref: digits.sref.yaml", "sref: near/digits.sref.yaml")
    repo.edit("spec.yaml", *LOOSER)


def elsewhere_under_another_name(repo):
    repo.edit("spec.yaml", *LOOSER)
    repo.edit("spec.yaml", "name: digits-diffusion", "name: numerals")
    (repo.folder / "far").mkdir()
    for name in ("spec.yaml", "digits.sref.yaml"):
        (repo.folder / name).rename(repo.folder / "far" / name)


def in_a_hidden_folder(repo):
    repo.edit("spec.yaml", *LOOSER)
    (repo.folder / ".far").mkdir()
    for name in ("spec.yaml", "digits.sref.yaml"):
        (repo.folder / name).rename(repo.folder / ".far" / name)


def in_escapes(repo):
    repo.edit("spec.yaml", *LOOSER)
    repo.edit("spec.yaml", "apiVersion: synthspec/v1", 'apiVersion: "synthspec\\x2fv1"')


def in_escapes_throughout(repo):
    repo.edit("spec.yaml", *LOOSER)
    repo.edit("spec.yaml", "apiVersion: synthspec/v1", '"api\\x56ersion": "\\u0073ynthspec\\x2fv1"')


UNREADABLE = {
    "no longer said to be one": lambda text: text.replace("apiVersion: synthspec/v1\n", ""),
    "of a kind that nobody knows": lambda text: text.replace("kind: EngineSpec", "kind: EngineSpecs"),
    "not YAML, and nothing in it that is ours": lambda _: "kind: [broken\n",
    "empty": lambda _: "",
}


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("way", UNREADABLE)
def test_a_spec_that_is_there_and_cannot_be_read_is_not_gone(repository, way, committed):
    """A document that goes is for a person to judge; one that hides in its own place fails."""
    file = repository.folder / "spec.yaml"
    file.write_text(UNREADABLE[way](file.read_text(encoding="utf-8")), encoding="utf-8")
    if committed:
        repository.commit()
    code, answer = repository.answer("--against", "main", *(("--head", "HEAD") if committed else ()))
    assert ("unreadable", "unknown") in {(each["kind"], each["direction"]) for each in answer["changes"]}
    assert code == 1


def test_a_spec_that_moved_and_left_another_file_behind_is_the_one_that_moved(repository):
    (repository.folder / "spec.yaml").rename(repository.folder / "moved.yaml")
    (repository.folder / "spec.yaml").write_text("on: push\n", encoding="utf-8")
    repository.edit("moved.yaml", *LOOSER)
    assert FID in pointers(repository.answer("--against", "main")[1])


WAYS = [
    behind_a_link,
    behind_a_linked_folder,
    elsewhere_under_another_name,
    in_a_hidden_folder,
    in_escapes,
    in_escapes_throughout,
]


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_looser_spec_is_found(repository, way, committed):
    way(repository)
    if committed:
        repository.commit()
    words = ("--head", "HEAD") if committed else ()
    code, answer = repository.answer("--against", "main", *words)
    assert FID in pointers(answer)
    assert code == 1


@pytest.mark.parametrize("way", WAYS)
def test_the_policy_goes_along(governed, way):
    """The rule says 70 at most, and lies in a folder of its own: wherever the spec goes, it left from there."""
    way(governed)
    code, answer = governed.answer("--against", "main")
    assert code == 1
    assert "policy.denied" in [each["code"] for each in answer["findings"]]


def test_what_is_hidden_and_unchanged_is_no_change(repository):
    """Both sides look into hidden folders, and neither takes documents of other tools for its own."""
    repository.git("checkout", "-q", "main")
    (repository.folder / ".ours").mkdir()
    (repository.folder / ".ours" / "spec.yaml").write_bytes((repository.folder / "spec.yaml").read_bytes())
    (repository.folder / "cluster.yaml").write_text('apiVersion: kyverno.io/v1\nkind: Policy\nspec: "a\\tb"\n')
    (repository.folder / "site.yaml").write_text('tags: !!python/name "a\\tb"\n')
    repository.commit()
    repository.git("checkout", "-q", "-B", "feature")
    (repository.folder / "cluster.yaml").write_text('apiVersion: kyverno.io/v1\nkind: Policy\nspec: "b\\tb"\n')
    code, answer = repository.answer("--against", "main")
    assert (code, answer["changes"], answer["findings"]) == (0, [], [])


def test_a_ring_of_links_leads_nowhere(repository):
    (repository.folder / "a.yaml").symlink_to("b.yaml")
    (repository.folder / "b.yaml").symlink_to("a.yaml")
    (repository.folder / "c.yaml").symlink_to("../../../etc/hostname")
    repository.commit()
    code, answer = repository.answer("--against", "main", "--head", "HEAD")
    assert (code, answer["changes"]) == (0, [])


def test_another_spec_is_no_older_one(repository):
    """What has little in common with what is gone is new."""
    (repository.folder / "spec.yaml").unlink()
    (repository.folder / "new.yaml").write_text(
        "apiVersion: synthspec/v1\nkind: EngineSpec\nmetadata: {name: new, version: 1.0.0}\n"
    )
    kinds = [each["kind"] for each in repository.answer("--against", "main")[1]["changes"]]
    assert "document-removed" in kinds
