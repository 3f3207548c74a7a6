"""What cells define and use."""

from unittest.mock import Mock

from crn_lib.workbook.grading.code import Code, needed


def test_a_cell_says_what_it_binds_and_what_it_takes_from_elsewhere() -> None:
    (function,) = Code("def f(x, y=START):\n    z = helper(x)\n    return z + len(y)").statements
    assert function.binds == {"f"}
    assert {"helper", "START", "len"} <= function.uses and not {"x", "z"} & function.uses
    assert Code("import torch.nn as nn, math\nfrom a import b as c\nfor i in range(3): j = i").binds == {
        "nn",
        "math",
        "c",
        "i",
        "j",
    }


def test_a_cell_that_is_no_python_binds_nothing_and_magics_are_understood() -> None:
    assert Code("def f(:").statements == [] and Code("def f(:").without_checks() == "def f(:"
    assert Code("%matplotlib inline\nx = 1").binds == {"x"}
    assert Code("(" * 5_000).statements == []


def test_checks_are_found_with_what_they_are_given_and_taken_out() -> None:
    code = Code('def f(): pass\n\n\ncourse.check("00.prompt", f)\nprint(f())')
    assert list(code.checks()) == ["00.prompt"]
    assert code.without_checks() == "def f(): pass\n\n\nprint(f())"
    checked = 'def f():\n    return 1\n\n\ncourse.check("00.prompt", f)'
    for above in ("\n\n\n\n", "!ls \\\n  -l\n", "%time\n"):  # lines that IPython takes away or joins
        left = {}
        exec(Code(above + checked).without_checks(), {"get_ipython": Mock()}, left)
        assert left["f"]() == 1 and "check" not in Code(above + checked).without_checks()
    assert Code('from crn_lib.course import check\ncheck("01.bits", lambda n: n)').checks().keys() == {"01.bits"}


def test_only_the_statements_that_an_answer_needs_are_taken() -> None:
    before = [
        Code("import torch\nimport math"),
        Code("WIDTH = 3\nmodel = train(WIDTH)"),
        Code("def helper(x):\n    return scale(x) * WIDTH"),
        Code("def scale(x):\n    return math.exp(x)"),
        Code("WIDTH = 4"),
    ]
    answer = Code("def f(x):\n    model = helper(x)\n    return model")
    taken = needed(answer, frozenset({"f"}), before).splitlines()
    assert taken == [
        "import math",
        "def scale(x):",
        "    return math.exp(x)",
        "WIDTH = 4",  # what the helper sees when it is called
        "def helper(x):",
        "    return scale(x) * WIDTH",
    ]


def test_cells_that_were_run_in_another_order_are_put_in_order() -> None:
    below = [Code("ORDER = string.ascii_lowercase"), Code("import string")]
    assert needed(Code("ORDER[0]"), frozenset(), below) == "import string\nORDER = string.ascii_lowercase"


def test_a_helper_below_the_answer_is_found_and_a_circle_ends() -> None:
    below = [
        Code("def even(n):\n    return n == 0 or odd(n - 1)"),
        Code("def odd(n):\n    return n != 0 and even(n - 1)"),
    ]
    taken = needed(Code("def f(n):\n    return even(n)"), frozenset(), [], below)
    assert "def even" in taken and "def odd" in taken
