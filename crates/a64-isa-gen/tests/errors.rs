//! Mistakes in a table are refused with file, line and reason.

use a64_isa_gen::generate;

/// A table's text and the error it must give.
const CASES: &[(&str, &str)] = &[
    (
        "",
        "bad.isa:1: the file must open with a `//` comment saying what it holds",
    ),
    (
        "// t\n  where a",
        "bad.isa:2: an indented line must follow a row or a family",
    ),
    ("// t\nfeature NONE", "bad.isa:2: unknown feature `NONE`"),
    (
        "// t\nAdd 0",
        "bad.isa:2: `Add` is not a row name (lower-case letters, digits, `_`)",
    ),
    (
        "// t\na 0 x:30",
        "bad.isa:2: row `a`: the pattern has 31 bits, not 32",
    ),
    (
        "// t\na 0 x:31 1",
        "bad.isa:2: row `a`: the pattern has more than 32 bits (at `1`)",
    ),
    ("// t\na 0 x:0 y:31", "bad.isa:2: row `a`: bad width in `x:0`"),
    (
        "// t\na 012 x:29",
        "bad.isa:2: row `a`: `012` is not a row of bits",
    ),
    ("// t\na (2) x:31", "bad.isa:2: row `a`: `2` is not a row of bits"),
    ("// t\na x:16 x:16", "bad.isa:2: row `a`: field `x` occurs twice"),
    (
        "// t\na type x:31",
        "bad.isa:2: row `a`: `type` is not a field name",
    ),
    ("// t\na pc x:31", "bad.isa:2: row `a`: `pc` is not a field name"),
    ("// t\na X x:31", "bad.isa:2: row `a`: `X` is not a field name"),
    (
        "// t\na x:2!=4 y:30",
        "bad.isa:2: row `a`: excluded value of `x:2!=4` does not fit the field",
    ),
    (
        "// t\na x:2!=z y:30",
        "bad.isa:2: row `a`: bad excluded value in `x:2!=z`",
    ),
    ("// t\na x:32", "bad.isa:2: row `a`: has no disassembly text"),
    (
        "// t\na x:32\n  where y == 1\n  \"a\"",
        "bad.isa:3: row `a`: unknown field `y` in `y == 1`",
    ),
    (
        "// t\na x:32\n  where pc == 1\n  \"a\"",
        "bad.isa:3: row `a`: unknown field `pc` in `pc == 1`",
    ),
    (
        "// t\na x:32\n  if y \"a\"\n  \"a\"",
        "bad.isa:3: row `a`: unknown field `y` in `y`",
    ),
    (
        "// t\na x:32\n  \"a {w(y)}\"",
        "bad.isa:3: row `a`: unknown field `y` in `w(y)`",
    ),
    (
        "// t\na x:32\n  \"a {w(x)\"",
        "bad.isa:3: row `a`: `{` without `}`",
    ),
    (
        "// t\na x:32\n  \"a",
        "bad.isa:3: row `a`: the text does not end with a quote",
    ),
    (
        "// t\na x:32\n  if x == 1",
        "bad.isa:3: row `a`: `if` needs a quoted text",
    ),
    (
        "// t\na x:32\n  if x == 1 \"a\"",
        "bad.isa:2: row `a`: the last disassembly text must have no condition",
    ),
    (
        "// t\na x:32\n  \"a\"\n  \"b\"",
        "bad.isa:4: row `a`: this text can never be used: the one before has no condition",
    ),
    (
        "// t\na x:32\n  when x",
        "bad.isa:3: row `a`: expected `=`, `where`, `within`, `if` or a quoted text",
    ),
    (
        "// t\na 0 x:31\n  \"a\"\na 1 x:31\n  \"a\"",
        "bad.isa:4: row `a`: the name is already used at bad.isa:2",
    ),
    (
        "// t\na 0 x:31\n  \"a\"\nb y:32\n  \"b\"",
        "bad.isa:4: row `b`: overlaps row `a` at bad.isa:2",
    ),
    (
        "// t\na 0 x:31\n  within c\n  \"a\"",
        "bad.isa:2: row `a`: `within c`: no such row",
    ),
    (
        "// t\na 0 x:31\n  within b\n  \"a\"\nb 1 x:31\n  \"b\"",
        "bad.isa:2: row `a`: is not a special case of `b`",
    ),
    // Each has an encoding the other has not.
    (
        "// t\na 0 x y:30\n  within b\n  \"a\"\nb x 0 y:30\n  \"b\"",
        "bad.isa:2: row `a`: is not a special case of `b`",
    ),
    // Families.
    (
        "// t\nfamily F",
        "bad.isa:2: `F` is not `NAME` or `NAME(PARAMETER, ..)`",
    ),
    (
        "// t\nfamily f(a",
        "bad.isa:2: `f(a` is not `NAME` or `NAME(PARAMETER, ..)`",
    ),
    ("// t\nfamily f(a, a)", "bad.isa:2: family `f`: bad parameter `a`"),
    (
        "// t\nfamily f(mnemonic)",
        "bad.isa:2: family `f`: bad parameter `mnemonic`",
    ),
    ("// t\nfamily f()", "bad.isa:2: family `f`: bad parameter ``"),
    (
        "// t\nfamily f\n  \"a\"\na x:32 : f\nfamily f",
        "bad.isa:5: family `f` is already declared at line 2",
    ),
    (
        "// t\nfamily f(op)\n  = m($od)",
        "bad.isa:3: family `f` has no parameter `$od`",
    ),
    (
        "// t\nfamily f\n  \"a\"\na x:32\n  \"a\"",
        "bad.isa:2: family `f` has no member",
    ),
    (
        "// t\na x:32 : f\nfamily f\n  \"a\"",
        "bad.isa:2: row `a`: there is no family `f` above it",
    ),
    (
        "// t\nfamily f(p)\n  \"a\"\na x:32 : f",
        "bad.isa:4: row `a`: family `f` takes 1 arguments, not 0",
    ),
    (
        "// t\nfamily f(p)\n  \"a\"\na x:32 : f(1, 2)",
        "bad.isa:4: row `a`: family `f` takes 1 arguments, not 2",
    ),
    (
        "// t\na x:32 : f(1",
        "bad.isa:2: row `a`: `f(1` is not `FAMILY` or `FAMILY(ARGUMENT, ..)`",
    ),
    ("// t\na x:32 :\n  \"a\"", "bad.isa:2: row `a`: bad width in `:`"),
    // A mistake in a family's line is that line's, for the row that it does not fit.
    (
        "// t\nfamily f\n  where y == 1\n  \"a\"\na x y:31 : f\nb z:32 : f",
        "bad.isa:3: row `b`: unknown field `y` in `y == 1`",
    ),
    (
        "// t\nfamily f(p)\n  = m($p)\n  \"a\"\na x:32 : f(y)",
        "bad.isa:3: row `a`: unknown field `y` in `m(y)`",
    ),
    (
        "// t\nfamily f\n  = m(x)\na x:32 : f",
        "bad.isa:4: row `a`: has no disassembly text",
    ),
    (
        "// t\na x:32\n  = m\n  \"a\"",
        "bad.isa:3: row `a`: `= m` is not `= METHOD(ARGUMENTS)`",
    ),
    (
        "// t\na x:32\n  = M(x)\n  \"a\"",
        "bad.isa:3: row `a`: `= M(x)` is not `= METHOD(ARGUMENTS)`",
    ),
    (
        "// t\na x:32\n  = m(x) + 1\n  \"a\"",
        "bad.isa:3: row `a`: `= m(x) + 1` is not `= METHOD(ARGUMENTS)`",
    ),
    (
        "// t\na x:32\n  = m(pc)\n  \"a\"",
        "bad.isa:3: row `a`: unknown field `pc` in `m(pc)`",
    ),
    // The excluded value is not the one the other row fixes.
    (
        "// t\na x:2!=1 y:30\n  \"a\"\nb 10 y:30\n  \"b\"",
        "bad.isa:4: row `b`: overlaps row `a` at bad.isa:2",
    ),
];

#[test]
fn mistakes_are_named() {
    for (text, expected) in CASES {
        let result = generate(&[("bad.isa".to_owned(), (*text).to_owned())]);
        let found = result.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(found, Err((*expected).to_owned()), "{text}");
    }
}

#[test]
fn file_names_must_be_module_names() {
    for name in ["Bad.isa", "a-b.isa", "1.isa", "table.txt"] {
        let error = generate(&[(name.to_owned(), "// t\n".to_owned())]).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), (name, 1));
    }
}

#[test]
fn rows_of_two_files_are_checked_against_each_other() {
    let first = ("a.isa".to_owned(), "// t\na 0 x:31\n  \"a\"".to_owned());
    let second = ("b.isa".to_owned(), "// t\nb x:31 1\n  \"b\"".to_owned());
    let error = generate(&[second, first]).unwrap_err();
    assert_eq!(error.to_string(), "b.isa:2: row `b`: overlaps row `a` at a.isa:2");
}

#[test]
fn good_tables_pass() {
    let good = [
        // Told apart by an excluded value, a special case, text braces and strings.
        "// t\na x:2!=1,2 y:30\n  \"a\"\nb 01 y:30\n  \"b\"",
        "// t\na x:32\n  \"a\"\nb 01 y:30\n  within a\n  where y > 1 && bitmask(false, true, 0, 0).is_some()\n  \"b\"",
        "// t\na (11) s x:29\n  if x != 1 \"a {{ {pick(s, \"on\", \"off\")} }\"\n  \"a {u32::from(x)}, {pc}\"",
    ];
    for text in good {
        let code = generate(&[("good.isa".to_owned(), text.to_owned())]);
        let code = code.unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(
            code.contains("pub trait Good {") && code.contains("fn a(&mut self, i: good::A);"),
            "{text}"
        );
    }
}
