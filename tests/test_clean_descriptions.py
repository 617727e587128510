from harvester.clean import descriptions

PROSE = "Hay dries slowly, and this is what a whole summer of weighing it has taught us about drying it. " * 2


def test_one_description_is_the_abstract() -> None:
    assert descriptions.choose(["Abstract: Hay dries."]) == ("Hay dries.", ())


def test_the_longest_is_the_abstract_the_others_are_remarks() -> None:
    assert descriptions.choose(["A thesis.", PROSE]) == (PROSE.strip(), ("A thesis.",))


def test_a_comment_of_arxiv_is_never_the_abstract() -> None:
    assert descriptions.choose(["Short.", f"Comment: {PROSE}"])[0] == "Short."


def test_labels_and_addresses_are_neither() -> None:
    said = ["Abstract", PROSE, "https://example.org/thumbnail.jpg"]
    assert descriptions.choose(said) == (PROSE.strip(), ())
    assert descriptions.unplaced(said) == ("https://example.org/thumbnail.jpg",)
