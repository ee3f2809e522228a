"""What the words of a file mean: keys, kinds, choices, difficulties, citations; and what is said where they mean nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizapp.questions.exchange import formats, tables, words
from quizapp.questions.exchange.parsed import Raw
from quizapp.questions.exchange.reading import build

FOUR = ["甲", "乙", "丙", "丁"]


def _raw(**values: object) -> Raw:
    return Raw(1, **{"stem": "哪个对？", "choices": FOUR, "answer": "A", **values})  # type: ignore[arg-type]  # fields of Raw


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ("B", (1,)),
        ("b", (1,)),
        ("Ｂ", (1,)),
        ("ABD", (0, 1, 3)),
        ("A,B，D", (0, 1, 3)),
        ("A、B、D", (0, 1, 3)),
        ("A B D", (0, 1, 3)),
        ("A\nD", (0, 3)),
        ("【B】", (1,)),
        ("(C)", (2,)),
        ("B.", (1,)),
        ("B. 乙", (1,)),
        ("乙", (1,)),
        ("乙\n丁", (1, 3)),
        ("2", (1,)),
        ("1,3", (0, 2)),
        ("134", (0, 2, 3)),
        ("0100", (1,)),
        ("1 0 1 0", (0, 2)),
        ("A和C", (0, 2)),
    ],
)
def test_answers_of_choice_questions(answer: str, key: tuple[int, ...]) -> None:
    question, problems = build(_raw(answer=answer))
    assert question is not None, problems
    assert question.entry.answer == key
    assert question.entry.kind == ("single" if len(key) == 1 else "multiple")


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        *[(word, 0) for word in ("对", "正确", "是", "√", "✓", "T", "true", "TRUE", "Y", "1", "A", "（√）", "对。")],
        *[(word, 1) for word in ("错", "错误", "否", "×", "✗", "X", "F", "false", "N", "0", "B", "不正确", "【错】")],
    ],
)
def test_answers_of_judge_questions(answer: str, key: int) -> None:
    question, problems = build(_raw(kind="判断题", choices=[], answer=answer))
    assert question is not None, problems
    assert (question.entry.kind, question.entry.choices, question.entry.answer) == ("judge", ("对", "错"), (key,))


@pytest.mark.parametrize(
    ("choices", "answer", "key"),
    [(["正确", "错误"], "A", 0), (["错误", "正确"], "A", 1), (["×", "√"], "B", 0), (["是", "否"], "否", 1), (["对", "错"], "0", 1)],
)
def test_right_and_wrong_as_choices_make_a_judge_question_in_any_order(choices: list[str], answer: str, key: int) -> None:
    question, _ = build(_raw(choices=choices, answer=answer))
    assert question is not None
    assert (question.entry.kind, question.entry.choices, question.entry.answer) == ("judge", ("对", "错"), (key,))


@pytest.mark.parametrize(
    ("values", "column", "words_of_reason"),
    [
        ({"answer": "E"}, "正确答案", "只有 A 到 D"),
        ({"answer": ""}, "正确答案", "没有写答案"),
        ({"answer": "AA"}, "正确答案", "写了两次"),
        ({"answer": "戊"}, "正确答案", "看不懂"),
        ({"answer": "0000"}, "正确答案", "每个选项都是 0"),
        ({"answer": "9"}, "正确答案", "看不懂"),
        ({"kind": "单选题", "answer": "AB"}, "正确答案", "题型是单选"),
        ({"kind": "多选题", "answer": "A"}, "正确答案", "至少要有 2 个答案"),
        ({"kind": "判断题", "choices": [], "answer": "也许"}, "正确答案", "看不懂"),
        ({"kind": "填空题"}, "题型", "这是填空题"),
        ({"kind": "脑筋急转弯"}, "题型", "看不懂这个题型"),
        ({"stem": "  "}, "题干", "没有填"),
        ({"stem": "长" * 501}, "题干", "501 个字"),
        ({"stem": "有\x07响铃"}, "题干", "控制字符"),
        ({"choices": ["甲"]}, "选项", "只有 1 个选项"),
        ({"choices": []}, "选项", "没有选项"),
        ({"choices": ["甲", "", "丙"]}, "选项", "选项 B 空着"),
        ({"choices": ["甲", "乙", "甲"]}, "选项", "A 和 C 一模一样"),
        ({"choices": [*FOUR, *"戊己庚辛壬"]}, "选项", "最多 8 个"),
        ({"choices": ["甲", "长" * 201]}, "选项", "201 个字"),
        ({"explanation": "长" * 2001}, "解析", "2001 个字"),
        ({"tags": "长" * 65}, "标签", "65 个字"),
        ({"code": "有 空格"}, "平台编号", "只能用字母"),
        ({"reviewed_on": "去年"}, "复核日期", "看不懂"),
    ],
)
def test_what_is_wrong_is_named_with_its_column_and_cure(values: dict[str, object], column: str, words_of_reason: str) -> None:
    question, problems = build(_raw(**values))
    assert question is None
    assert [problem.column for problem in problems if problem.severity == "error"] == [column]
    assert words_of_reason in problems[-1].reason
    assert problems[-1].mend


def test_what_a_draft_may_lack_is_a_gap_and_nothing_else() -> None:
    question, problems = build(_raw(citations=""))
    assert question is not None
    assert question.gaps == ("difficulty", "explanation", "citations")
    assert problems == []
    question, _ = build(_raw(explanation="讲解", citations="《民法典》第1条", difficulty="难"))
    assert question is not None
    assert question.gaps == ()
    assert question.entry.difficulty == 4


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("1", 1),
        ("5.0", 5),
        ("★★★", 3),
        ("★★☆☆☆", 2),
        ("易", 2),
        ("较难", 4),
        ("中等", 3),
        ("很难", 5),
        ("3级", 3),
        ("难度2", 2),
        ("0.8", None),
        ("6", None),
        ("普普", None),
    ],
)
def test_difficulties(text: str, level: int | None) -> None:
    assert words.read_difficulty(text) == level


@pytest.mark.parametrize(
    ("text", "found", "rest"),
    [
        ("《消费者权益保护法》第二十五条", [("消费者权益保护法", "25")], False),
        ("《中华人民共和国劳动合同法》第七条、第十条", [("劳动合同法", "7"), ("劳动合同法", "10")], False),
        ("《刑法》第一百三十三条之一第一款", [("刑法", "133-1")], False),
        ("消费者权益保护法 25", [("消费者权益保护法", "25")], False),
        ("劳动合同法7,10", [("劳动合同法", "7"), ("劳动合同法", "10")], False),
        ("民法典第1000条；《刑法》第20条", [("民法典", "1000"), ("刑法", "20")], False),
        ("个税法", [], True),
        ("《个人所得税法》", [], True),
        ("局里的通知", [], True),
    ],
)
def test_citations_in_the_words_of_people(text: str, found: list[tuple[str, str]], rest: bool) -> None:
    citations, left, _ = words.read_citations(text)
    assert [(item["law"], item["article"]) for item in citations] == found
    assert bool(left) == rest


def test_a_citation_that_is_no_citation_is_kept_in_the_explanation_and_flagged() -> None:
    question, problems = build(_raw(explanation="讲解", citations="个税法"))
    assert question is not None
    assert question.entry.explanation == "讲解\n（依据原文：个税法）"
    assert "citations" in question.gaps
    assert [(problem.column, problem.severity) for problem in problems] == [("依据", "note")]


def test_a_paragraph_is_said_not_to_be_kept() -> None:
    question, problems = build(_raw(citations="《消费者权益保护法》第五十五条第一款"))
    assert question is not None
    assert question.entry.citations == ({"law": "消费者权益保护法", "article": "55"},)
    assert "款" in problems[0].reason


def test_without_a_place_for_citations_those_of_the_explanation_are_proposed() -> None:
    question, problems = build(_raw(explanation="依《民法典》第一百八十四条，不承担责任。", citations=None))
    assert question is not None
    assert question.entry.citations == ({"law": "民法典", "article": "184"},)
    assert problems[0].severity == "note"


@pytest.mark.parametrize(
    "cell",
    [
        "A.甲\nB.乙\nC.丙",
        "A、甲 B、乙 C、丙",
        "A.甲；B.乙；C.丙",
        "A.甲B.乙C.丙",
        "(A)甲 (B)乙 (C)丙",
        "甲|乙|丙",
        "甲\n乙\n丙",
        "甲;乙;丙",
        "甲$乙$丙",
        '["甲", "乙", "丙"]',
        '{"A": "甲", "B": "乙", "C": "丙"}',
        "Ａ．甲　Ｂ．乙　Ｃ．丙",
        "甲##乙##丙",
    ],
)
def test_choices_of_one_cell(cell: str) -> None:
    assert tables.split_choices(cell) == ["甲", "乙", "丙"]


def test_letters_stay_where_not_every_choice_has_its_own() -> None:
    assert tables.strip_letters(["A. 甲", "B. 乙"]) == ["甲", "乙"]
    assert tables.strip_letters(["A股", "B股"]) == ["A股", "B股"]
    assert tables.strip_letters(["A. 甲", "乙"]) == ["A. 甲", "乙"]
    assert tables.strip_letters(["B. 甲", "A. 乙"]) == ["B. 甲", "A. 乙"]


@pytest.mark.parametrize(
    "header",
    [
        "题干,题型,选项A,选项B,正确答案",
        "*题目（必填）,试题类型,A,B,答案",
        "试题内容,类型,选项 a,选项 b,标准答案*",
        "问题,题类,选项1,选项2,参考答案",
        "Question,Type,Option A,Option B,Answer",
        "题目内容,题目类型,备选项A,备选项B,正确选项",
    ],
)
def test_headers_by_many_names(header: str) -> None:
    parsed = formats.read(f"{header}\n哪个？,单选,甲,乙,B".encode(), "x.csv")
    assert [(question.entry.choices, question.entry.answer) for question in parsed.questions] == [(("甲", "乙"), (1,))]


def test_a_table_names_the_columns_it_has_no_use_for_and_numbers_of_its_own_are_no_ids() -> None:
    parsed = formats.read("编号,题干,选项A,选项B,答案,分值\n1,哪个？,甲,乙,B,2".encode(), "x.csv")
    assert parsed.questions[0].entry.code == ""
    assert "分值" in parsed.problems[0].reason
    assert parsed.problems[0].severity == "note"


def test_an_id_that_comes_twice_is_named() -> None:
    parsed = formats.read("平台编号,题干,选项A,选项B,答案\nq1,哪个？,甲,乙,B\nq1,哪个呢？,甲,乙,B".encode(), "x.csv")
    assert len(parsed.questions) == 1
    assert [(problem.row, problem.column) for problem in parsed.errors] == [(3, "平台编号")]


def test_a_number_that_was_not_recognised_is_not_lost_in_silence() -> None:
    text = "1、第一题\nA、甲\nB、乙\n答案：A\n第二题没有题号\nA、甲\nB、乙\n答案：B\n3、第三题\nA、甲\nB、乙\n答案：A"
    parsed = formats.read_text(text)
    assert any("第 2 题没有认出来" in problem.reason for problem in parsed.errors)


def test_points_counted_in_an_explanation_are_no_questions() -> None:
    text = "1. 第一题\nA. 甲\nB. 乙\n答案：A\n解析：两条理由。\n1. 其一\n2. 其二\n2. 第二题\nA. 甲\nB. 乙\n答案：B"
    parsed = formats.read_text(text)
    assert [question.entry.stem for question in parsed.questions] == ["第一题", "第二题"]
    assert parsed.questions[0].entry.explanation == "两条理由。\n1. 其一\n2. 其二"


def test_a_number_that_jumps_after_an_explanation_begins_a_question_where_choices_follow() -> None:
    text = "1. 第一题\nA. 甲\nB. 乙\n答案：A\n解析：因为这样。\n7. 第七题\nA. 丙\nB. 丁\n答案：B"
    assert [question.entry.stem for question in formats.read_text(text).questions] == ["第一题", "第七题"]


def test_a_number_that_jumps_after_a_blank_to_fill_in_is_no_part_of_it() -> None:
    text = "5.合同由______和______订立。\n9.网购不能退货。 （X ）\n10.收据可以不要。 （X）"
    parsed = formats.read_text(text)
    assert [question.entry.stem for question in parsed.questions] == ["网购不能退货。", "收据可以不要。"]
    assert ("选项", "没有选项") in {(problem.column, problem.reason) for problem in parsed.errors}


def test_numbers_with_nothing_but_blanks_behind_them() -> None:
    first = "165  哪个对？\n  A    甲\n  B    乙\n 正确答案: B\n 解释：\n  2024 年改过。\n  1，其一\n"
    text = f"{first}166  哪个错？\n  A    丙\n  B    丁\n 正确答案: A"
    found = [(question.entry.stem, question.entry.choices, question.entry.answer) for question in formats.read_text(text).questions]
    assert found == [("哪个对？", ("甲", "乙"), (1,)), ("哪个错？", ("丙", "丁"), (0,))]


PIECES = (
    *(
        "1. 哪个对？",
        "7、哪个错？（ B ）",
        "165  哪个好？",
        "3.这样可以。（ X ）",
        "**第2题**",
        "## 二、多选题。（每题 2 分）",
        "---",
        "",
        "> 答案：A",
    ),
    *("A    甲", "A. 甲", "B    乙", "B、乙 C、丙", "A、甲　　B、乙", "C ", "D", "（A）甲", "○甲（正确答案）", "√ 乙", "*A. 甲"),
    *(
        "答案：B",
        "参考答案",
        "1-3 ABC",
        "1.A 2.B",
        "正确答案: C A B",
        "答案 ×",
        "我的答案：对 正确答案：错",
        "解析：1. 其一",
        "2024 年改过。",
        "题干：甲",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_mixture_of_the_signs_of_papers_raises(lines: list[str]) -> None:
    parsed = formats.read("\n".join(lines).encode() or b" ", "题.txt")
    assert len(parsed.questions) <= len(lines)


def test_a_label_that_is_a_head_by_itself() -> None:
    text = "### 📝 题目\n哪个对？\n- [ ] A. 甲\n- [ ] B. 乙\n【正确答案】B\n### ✅ 解析\n因为规定如此。"
    (question,) = formats.read_text(text).questions
    assert (question.entry.choices, question.entry.answer, question.entry.explanation) == (("甲", "乙"), (1,), "因为规定如此。")


def test_a_second_answer_in_a_question_is_named() -> None:
    text = "1. 哪个对？\nA. 甲\nB. 乙\n答案：B\n解析：因为。\n哪个错，没有题号\n答案：A"
    parsed = formats.read_text(text)
    assert parsed.questions == []
    assert [(problem.row, problem.column) for problem in parsed.errors] == [(1, "答案")]


def test_markdown_around_lines_is_not_text() -> None:
    first = "# 一、单选题。（每题 2 分）\n\n**1. 第一题？**\nA. 甲\nB. 乙\n\n**答案：B**\n\n---\n\n"
    text = f"{first}## 第 2 题\n第二题？\nA. 甲 **重点**\nB. 乙\n> 答案：A"
    found = [(question.entry.stem, question.entry.choices, question.entry.answer) for question in formats.read_text(text).questions]
    assert found == [("第一题？", ("甲", "乙"), (1,)), ("第二题？", ("甲 **重点**", "乙"), (0,))]


def test_what_somebody_answered_is_not_the_key() -> None:
    text = "1、【单选题】哪个对？\nA、甲\nB、乙\n我的答案：B\n正确答案：A\n2、【判断题】这样可以。\n我的答案：对 正确答案：错"
    assert [question.entry.answer for question in formats.read_text(text).questions] == [(0,), (1,)]


@pytest.mark.parametrize(("sign", "key"), [("Y", 0), ("N", 1), ("X", 1), ("x", 1), ("T", 0), ("Ｙ", 0)])
def test_letters_for_right_and_wrong_behind_a_statement(sign: str, key: int) -> None:
    (question,) = formats.read_text(f"一、判断题\n1、网购不能退货（ {sign} ）").questions
    assert (question.entry.kind, question.entry.stem, question.entry.answer) == ("judge", "网购不能退货", (key,))


def test_a_letter_in_brackets_that_is_no_choice_is_not_taken_for_the_key() -> None:
    parsed = formats.read_text("1、设（X）为甲，哪个对？\nA、甲\nB、乙")
    assert [problem.reason for problem in parsed.errors] == ["没有写答案"]


def test_one_forgotten_brace_harms_only_its_own_question() -> None:
    parsed = formats.read("::a:: 第一题 {=甲 ~乙\n\n::b:: 第二题 {=甲 ~乙}\n\n::c:: 第三题 {T}".encode(), "x.gift")
    assert [question.entry.stem for question in parsed.questions] == ["第二题", "第三题"]
    assert [problem.row for problem in parsed.errors] == [1]


@pytest.mark.parametrize(("body", "kind"), [("{}", "简答题"), ("{#3:2}", "数值题"), ("{=a -> b =c -> d}", "匹配题"), ("{=a =b}", "填空题")])
def test_kinds_of_gift_that_we_have_not_are_named(body: str, kind: str) -> None:
    parsed = formats.read(f"::a:: 题目 {body}".encode(), "x.gift")
    assert kind in parsed.errors[0].reason


@pytest.mark.parametrize("kind", ["shortanswer", "essay", "matching", "cloze", "numerical", "ddwtos"])
def test_kinds_of_moodle_that_we_have_not_are_named(kind: str) -> None:
    text = f'<quiz><question type="{kind}"><questiontext format="html"><text>题目</text></questiontext></question></quiz>'
    parsed = formats.read(text.encode(), "x.xml")
    assert [(problem.row, "平台只有" in problem.reason) for problem in parsed.errors] == [(1, True)]


def test_questions_in_folding_boxes_of_note_programs_arrive() -> None:
    boxes = [
        (
            "> [!question] 选择题 1\n> 网购商品几天内可以无理由退货？\n> - [ ] A. 三天\n> - [ ] B. 七天\n>\n"
            "> > [!success]- 看答案\n> > 正确答案: B"
        ),
        (
            "> [!quiz]- 第 2 题\n> 劳动合同应当用什么形式？\n> - [ ] A. 书面\n> - [ ] B. 口头\n>\n"
            "> > [!tip]- 答案\n> > 答案：A\n> > **解析**: 写下来才说得清。"
        ),
    ]
    parsed = formats.read("\n\n".join(boxes).encode(), "notes.md")
    assert list(parsed.errors) == []
    assert [(question.entry.stem, question.entry.answer) for question in parsed.questions] == [
        ("网购商品几天内可以无理由退货？", (1,)),
        ("劳动合同应当用什么形式？", (0,)),
    ]
