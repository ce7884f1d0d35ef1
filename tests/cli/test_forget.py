"""`forget`, and what `export --user` and `import` say of what was learned."""

from threadkeep import connect


def test_a_user_is_forgotten_when_that_is_confirmed(cli, filled):
    with connect(filled) as memory:
        memory.user("ada").facts.add("Ada likes tea")
    said = cli("forget", "ada", "--yes", "--url", filled)
    assert said.code == 0
    assert "2 sessions among them" in said.out
    assert "not reached: backups" in said.err
    with connect(filled) as memory:
        assert memory.sessions(user="ada") == []
        assert memory.user("ada").facts.list() == []
        assert len(memory.sessions(user="bob")) == 1


def test_without_a_yes_nothing_is_removed(cli, filled):
    before = cli("sessions", "--json", "--url", filled).out
    said = cli("forget", "ada", "--url", filled, stdin="n\n")
    assert said.code != 0
    assert cli("sessions", "--json", "--url", filled).out == before


def test_a_user_who_is_not_there_and_a_store_that_is_not(cli, filled):
    assert "0 records removed" in cli("forget", "nobody", "-y", "--url", filled).out
    said = cli("forget", "ada", "--yes", "--url", "sqlite:///nowhere.db")
    assert said.code == 1
    assert "does not exist" in said.err


def test_what_was_learned_moves_with_a_user(cli, filled, tmp_path):
    with connect(filled) as memory:
        memory.user("ada").facts.add("Ada likes tea")
        memory.user("ada").instructions.add("Be brief")
    text = cli("export", "--user", "ada", "--url", filled).out
    target = f"sqlite:///{tmp_path}/other.db"
    said = cli("import", "--url", target, stdin=text)
    assert said.err == "2 sessions, 2 facts and instructions imported\n"
    again = cli("export", "--user", "ada", "--url", target).out
    assert sorted(again.splitlines()) == sorted(text.splitlines())
