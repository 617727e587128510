"""Every row of the catalogue, and those that no row here proves: by which test they are, or why by none."""

SIZES = {
    "T": 13, "H": 23, "X": 23, "P": 22, "D": 20, "K": 24, "L": 13, "S": 10, "I": 10, "M": 10, "C": 6, "Z": 22,
    "O": 23,
}  # fmt: skip
IDS = frozenset(
    f"{section}{number:02}" for section, size in SIZES.items() for number in range(1, size + 1)
) | {"K01b"}

_REDIRECTS = "tests/test_transport_redirects.py"
_HARVEST = "tests/test_harvest.py"
_PROOF = "tests/test_harvest_proof.py"
_STORE = "tests/contracts/store.py"
_CLI = "tests/test_cli.py"
_SYNC = "tests/test_sync.py"

ELSEWHERE = {
    "C01": ("tests/test_kill.py::test_kill_9_again_and_again",),
    "C04": (
        f"{_CLI}::test_one_source_of_two_fails",
        "tests/test_transport.py::test_z20_never_two_requests_at_once_to_a_host",
    ),
    "C05": (
        f"{_HARVEST}::test_what_is_only_dated_anew_moves_nothing",
        f"{_SYNC}::test_without_news_the_index_does_no_work",
    ),
    # A loopback server has no public address; these tests name it one.
    "Z04": (
        f"{_REDIRECTS}::test_z04_a_public_host_does_not_send_us_inside",
        f"{_REDIRECTS}::test_z04_nor_by_way_of_a_third",
        f"{_REDIRECTS}::test_z04_what_is_public",
    ),
    "Z06": (f"{_REDIRECTS}::test_z06_nor_by_a_name_that_changes_its_address",),
    "Z08": (
        f"{_REDIRECTS}::test_z08_no_password_follows_a_redirect",
        "tests/test_transport.py::test_z08_no_password_in_a_message",
    ),
    "Z10": (f"{_CLI}::test_are_not_passed_on", f"{_CLI}::test_from_a_repository_that_speaks_of_itself"),
    # What comes from a person, or from ourselves.
    "Z14": ("tests/test_query.py::test_any_text_is_a_tree_or_a_fault_with_its_place",),
    "Z21": ("tests/test_removal.py::test_nothing_stays_but_tombstones",),
    "O01": (
        f"{_HARVEST}::test_a_second_harvest_at_the_same_time_is_told",
        f"{_CLI}::test_the_second_is_told_who_is_at_it",
    ),
    "O02": (f"{_STORE}::test_a_living_process_keeps_others_out_and_a_dead_one_does_not",),
    "O03": ("tests/test_kill.py::test_kill_9", "tests/test_fault_points.py::test_kill_9"),
    "O04": (
        f"{_CLI}::test_a_full_disk",
        "tests/test_store.py::test_a_full_disk_is_told_and_costs_no_stored_page",
    ),
    "O06": ("tests/test_kill.py::test_told_to_end",),
    "O07": (
        "tests/test_store.py::test_migrations_lead_to_the_tables_of_today",
        f"{_STORE}::test_a_newer_store_is_refused_and_left_alone",
    ),
    "O08": (f"{_PROOF}::test_another_address_is_read_from_the_beginning",),
    "O11": (f"{_CLI}::test_one_source_of_two_fails",),
    "O13": (f"{_SYNC}::test_the_position_never_leads_the_documents", f"{_SYNC}::test_killed_while_it_writes"),
    "O14": (f"{_HARVEST}::test_a_fault_of_our_own_is_told_and_gone_on_from",),
    "O18": (f"{_SYNC}::test_where_following_would_be_wrong",),
    "O19": ("tests/test_removal.py::test_a_harvest_that_slept_through_it_cannot_write",),
    "O20": (
        f"{_STORE}::test_several_may_open_a_new_store_at_once",
        f"{_STORE}::test_a_reader_waits_for_nobody",
    ),
    "O21": (
        "tests/test_verify.py::test_a_file_that_is_no_longer_whole",
        "tests/test_store.py::test_what_is_no_store_is_told",
    ),
    "O23": ("tests/test_real_responses.py::test_each_file_is_read_or_refused_with_a_reason",),
}

LEFT_OUT = {
    "I07": "nothing is written to files named by identifiers; exports are one stream",
    "Z11": "there is no export to CSV yet",
    "Z12": "there is no web page yet",
    "Z13": "there is no web page yet",
    "Z20": "sources are harvested one after the other; parallel workers come with the scheduler",
    "O15": "there is no scheduler yet: nothing repeats a run of itself",
    "O16": "there is no scheduler yet",
    "O17": "no response is cached and no log is kept; what a list may cost is row K01",
    "O22": "a soak of days is no test; memory over a long list is measured by the benchmark",
}
