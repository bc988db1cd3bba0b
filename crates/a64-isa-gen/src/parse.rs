//! Parses one `.isa` file into [`Row`]s.

use crate::family::{self, Family};
use crate::{Error, expr};

/// The features a row may belong to: the name in the tables and the Arm name.
pub const FEATURES: &[(&str, &str)] = &[
    ("BASE", "Armv8.0-A"),
    ("FP", "FEAT_FP"),
    ("ASIMD", "FEAT_AdvSIMD"),
    ("CRC32", "FEAT_CRC32"),
    ("LSE", "FEAT_LSE"),
    ("LSE2", "FEAT_LSE2"),
    ("LSE128", "FEAT_LSE128"),
    ("LOR", "FEAT_LOR"),
    ("LRCPC", "FEAT_LRCPC"),
    ("LRCPC2", "FEAT_LRCPC2"),
    ("LRCPC3", "FEAT_LRCPC3"),
    ("AES", "FEAT_AES"),
    ("PMULL", "FEAT_PMULL"),
    ("SHA1", "FEAT_SHA1"),
    ("SHA256", "FEAT_SHA256"),
    ("SHA3", "FEAT_SHA3"),
    ("SHA512", "FEAT_SHA512"),
    ("SM3", "FEAT_SM3"),
    ("SM4", "FEAT_SM4"),
    ("RDM", "FEAT_RDM"),
    ("FP16", "FEAT_FP16"),
    ("FHM", "FEAT_FHM"),
    ("DOTPROD", "FEAT_DotProd"),
    ("FCMA", "FEAT_FCMA"),
    ("JSCVT", "FEAT_JSCVT"),
    ("FRINTTS", "FEAT_FRINTTS"),
    ("FLAGM", "FEAT_FlagM"),
    ("FLAGM2", "FEAT_FlagM2"),
    ("I8MM", "FEAT_I8MM"),
    ("BF16", "FEAT_BF16"),
    ("MOPS", "FEAT_MOPS"),
    ("PAUTH", "FEAT_PAuth"),
    ("FPAC", "FEAT_FPACCOMBINE"),
    ("PACIMP", "FEAT_PACIMP"),
    ("PACQARMA5", "FEAT_PACQARMA5"),
    ("PACQARMA3", "FEAT_PACQARMA3"),
    ("BTI", "FEAT_BTI"),
    ("DPB", "FEAT_DPB"),
    ("DPB2", "FEAT_DPB2"),
    ("SB", "FEAT_SB"),
    ("SSBS", "FEAT_SSBS"),
    ("DIT", "FEAT_DIT"),
    ("RNG", "FEAT_RNG"),
    ("MTE", "FEAT_MTE"),
    ("ECV", "FEAT_ECV"),
    ("XS", "FEAT_XS"),
    ("WFXT", "FEAT_WFxT"),
    ("DGH", "FEAT_DGH"),
    ("HBC", "FEAT_HBC"),
    ("CSSC", "FEAT_CSSC"),
];

/// A named run of bits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: String,
    pub lsb: u32,
    pub width: u32,
    /// Values for which the encoding is something else (`immh:4!=0`).
    pub excluded: Vec<u32>,
}

impl Field {
    #[must_use]
    pub fn mask(&self) -> u32 {
        (((1u64 << self.width) - 1) as u32) << self.lsb
    }

    /// The Rust type of the field in the argument struct.
    #[must_use]
    pub fn rust_type(&self) -> &'static str {
        match self.width {
            1 => "bool",
            2..=8 => "u8",
            9..=16 => "u16",
            _ => "u32",
        }
    }
}

/// One disassembly text, used if its condition (or none) holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    pub line: usize,
    pub condition: Option<String>,
    pub parts: Vec<Part>,
}

/// A piece of a disassembly text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    Literal(String),
    /// A Rust expression over the fields, whose value is printed.
    Expr(String),
}

/// What a row does: a call of a function in `semantics`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Where it stands: in the row, or in the family that the row names.
    pub line: usize,
    /// `method(arguments)`, the arguments Rust expressions over the fields.
    pub text: String,
}

/// One instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub name: String,
    pub file: String,
    pub line: usize,
    pub pattern: String,
    pub feature: &'static str,
    /// Bits that decode the row, and their values.
    pub mask: u32,
    pub value: u32,
    /// Bits that should have a value (`(1)` in the manual) but are not decoded.
    pub should_mask: u32,
    pub should_value: u32,
    /// From the most significant down.
    pub fields: Vec<Field>,
    /// Conditions under which the encoding is allocated, with their lines.
    pub wheres: Vec<(String, usize)>,
    /// Rows that this one is a special case of.
    pub within: Vec<String>,
    pub texts: Vec<Text>,
    /// What the row does, in this order. Empty if it has a function of its own, named like it.
    pub calls: Vec<Call>,
}

impl Row {
    pub fn error(&self, message: impl Into<String>) -> Error {
        self.error_at(self.line, message)
    }

    pub fn error_at(&self, line: usize, message: impl Into<String>) -> Error {
        Error {
            file: self.file.clone(),
            line,
            message: format!("row `{}`: {}", self.name, message.into()),
        }
    }
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// File name without `.isa`: the module, and in camel case the trait.
    pub stem: String,
    /// The comment the file opens with, one string a line.
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// What indented lines belong to.
enum Open {
    Nothing,
    Family,
    /// A row and what it names behind its pattern.
    Row(Option<family::Use>),
}

struct Parser<'a> {
    file: &'a str,
    feature: &'static str,
    families: Vec<Family>,
    rows: Vec<Row>,
    open: Open,
}

pub fn parse_table(file: &str, text: &str) -> Result<Table, Error> {
    let fail = |line: usize, message: String| Error {
        file: file.to_owned(),
        line,
        message,
    };
    let stem = file
        .strip_suffix(".isa")
        .filter(|stem| is_name(stem))
        .ok_or_else(|| {
            fail(
                1,
                "the file name must be lower-case letters, digits and `_`, then `.isa`".into(),
            )
        })?;
    let header: Vec<_> = text
        .lines()
        .map_while(|line| line.strip_prefix("//"))
        .map(|line| line.trim().to_owned())
        .collect();
    if header.is_empty() {
        return Err(fail(
            1,
            "the file must open with a `//` comment saying what it holds".into(),
        ));
    }
    let mut parser = Parser {
        file,
        feature: "BASE",
        families: Vec::new(),
        rows: Vec::new(),
        open: Open::Nothing,
    };
    for (index, raw) in text.lines().enumerate() {
        parser.line(index + 1, raw)?;
    }
    parser.close()?;
    if let Some(unused) = parser.families.iter().find(|family| !family.used) {
        return Err(fail(
            unused.line,
            format!("family `{}` has no member", unused.name),
        ));
    }
    for row in &parser.rows {
        match row.texts.last() {
            None => return Err(row.error("has no disassembly text")),
            Some(text) if text.condition.is_some() => {
                return Err(row.error("the last disassembly text must have no condition"));
            }
            Some(_) => {}
        }
    }
    Ok(Table {
        stem: stem.to_owned(),
        header,
        rows: parser.rows,
    })
}

impl Parser<'_> {
    fn fail<T>(&self, line: usize, message: impl Into<String>) -> Result<T, Error> {
        Err(Error {
            file: self.file.to_owned(),
            line,
            message: message.into(),
        })
    }

    fn line(&mut self, line: usize, raw: &str) -> Result<(), Error> {
        let text = raw.trim();
        if text.is_empty() || text.starts_with("//") {
            return Ok(());
        }
        if raw.starts_with(char::is_whitespace) {
            return self.continuation(line, text);
        }
        self.close()?;
        let (head, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if head == "feature" {
            let name = rest.trim();
            match FEATURES.iter().find(|(known, _)| *known == name) {
                Some((known, _)) => self.feature = known,
                None => return self.fail(line, format!("unknown feature `{name}`")),
            }
            return Ok(());
        }
        if head == "family" {
            let family = Family::parse(self.file, line, rest.trim())?;
            if let Some(first) = self.families.iter().find(|known| known.name == family.name) {
                let message = format!(
                    "family `{}` is already declared at line {}",
                    family.name, first.line
                );
                return self.fail(line, message);
            }
            self.families.push(family);
            self.open = Open::Family;
            return Ok(());
        }
        if !is_name(head) {
            return self.fail(
                line,
                format!("`{head}` is not a row name (lower-case letters, digits, `_`)"),
            );
        }
        let (pattern, member_of) = match rest.split_once(" : ") {
            Some((pattern, text)) => (pattern, Some(text.trim())),
            None => (rest, None),
        };
        let mut row = Row {
            name: head.to_owned(),
            file: self.file.to_owned(),
            line,
            pattern: pattern.split_whitespace().collect::<Vec<_>>().join(" "),
            feature: self.feature,
            mask: 0,
            value: 0,
            should_mask: 0,
            should_value: 0,
            fields: Vec::new(),
            wheres: Vec::new(),
            within: Vec::new(),
            texts: Vec::new(),
            calls: Vec::new(),
        };
        parse_pattern(&mut row)?;
        let member_of = member_of.map(|text| family::Use::parse(&row, text)).transpose()?;
        self.rows.push(row);
        self.open = Open::Row(member_of);
        Ok(())
    }

    fn continuation(&mut self, line: usize, text: &str) -> Result<(), Error> {
        match (&self.open, self.rows.last_mut(), self.families.last_mut()) {
            (Open::Family, _, Some(family)) => family.push(self.file, line, text),
            (Open::Row(_), Some(row), _) => row_line(row, line, text),
            (Open::Nothing | Open::Family | Open::Row(_), _, _) => {
                self.fail(line, "an indented line must follow a row or a family")
            }
        }
    }

    /// Ends the last row: what it does not say itself comes from its family.
    fn close(&mut self) -> Result<(), Error> {
        let Open::Row(Some(member_of)) = std::mem::replace(&mut self.open, Open::Nothing) else {
            return Ok(());
        };
        let row = self.rows.last_mut().expect("a row is open");
        let Some(family) = self
            .families
            .iter_mut()
            .find(|family| family.name == member_of.name)
        else {
            return Err(row.error(format!("there is no family `{}` above it", member_of.name)));
        };
        let own_text = row.texts.last().is_some_and(|text| text.condition.is_none());
        for (line, text) in family.lines_for(row, &member_of)? {
            if own_text && (text.starts_with('"') || text.starts_with("if ")) {
                continue;
            }
            row_line(row, line, &text)?;
        }
        Ok(())
    }
}

/// An indented line of a row, or of its family.
fn row_line(row: &mut Row, line: usize, text: &str) -> Result<(), Error> {
    if let Some(condition) = text.strip_prefix("where ") {
        expr::check(row, line, condition, false)?;
        row.wheres.push((condition.trim().to_owned(), line));
    } else if let Some(names) = text.strip_prefix("within ") {
        row.within.extend(names.split_whitespace().map(str::to_owned));
    } else if let Some(rest) = text.strip_prefix("if ") {
        let Some((condition, quoted)) = rest.split_once('"') else {
            return Err(row.error_at(line, "`if` needs a quoted text"));
        };
        expr::check(row, line, condition, false)?;
        let parts = parse_text(row, line, quoted)?;
        push_text(row, line, Some(condition.trim().to_owned()), parts)?;
    } else if let Some(quoted) = text.strip_prefix('"') {
        let parts = parse_text(row, line, quoted)?;
        push_text(row, line, None, parts)?;
    } else if let Some(call) = text.strip_prefix("= ") {
        let text = family::check_call(row, line, call)?;
        row.calls.push(Call { line, text });
    } else {
        let message = "expected `=`, `where`, `within`, `if` or a quoted text";
        return Err(row.error_at(line, message));
    }
    Ok(())
}

fn push_text(row: &mut Row, line: usize, condition: Option<String>, parts: Vec<Part>) -> Result<(), Error> {
    if row.texts.last().is_some_and(|text| text.condition.is_none()) {
        return Err(row.error_at(
            line,
            "this text can never be used: the one before has no condition",
        ));
    }
    row.texts.push(Text {
        line,
        condition,
        parts,
    });
    Ok(())
}

pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Rust keywords that could be taken for field names.
const KEYWORDS: &[&str] = &[
    "as", "box", "do", "dyn", "else", "fn", "for", "if", "in", "let", "loop", "match", "mod", "move", "mut",
    "pc", "player", "priv", "pub", "ref", "self", "static", "struct", "super", "trait", "true", "false",
    "try", "type", "use", "where", "while", "word", "yield",
];

/// Reads `sf 0 0 100010 sh imm12:12 rn:5 rd:5` from the top bit down.
fn parse_pattern(row: &mut Row) -> Result<(), Error> {
    let mut at = 32u32;
    let pattern = row.pattern.clone();
    for token in pattern.split_whitespace() {
        let width = token_width(row, token)?;
        if width > at {
            return Err(row.error(format!("the pattern has more than 32 bits (at `{token}`)")));
        }
        at -= width;
        let mask = (((1u64 << width) - 1) as u32) << at;
        if let Some(bits) = token.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            row.should_mask |= mask;
            row.should_value |= binary(row, bits)? << at;
        } else if token.starts_with(['0', '1']) {
            row.mask |= mask;
            row.value |= binary(row, token)? << at;
        } else {
            let field = parse_field(row, token, at, width)?;
            row.fields.push(field);
        }
    }
    if at != 0 {
        return Err(row.error(format!("the pattern has {} bits, not 32", 32 - at)));
    }
    Ok(())
}

fn token_width(row: &Row, token: &str) -> Result<u32, Error> {
    if token.starts_with(['0', '1']) {
        return Ok(token.len() as u32);
    }
    if token.starts_with('(') {
        return Ok((token.len() as u32).saturating_sub(2));
    }
    let token = token.split("!=").next().unwrap_or(token);
    match token.split_once(':') {
        None => Ok(1),
        Some((_, digits)) => match digits.parse() {
            Ok(width @ 1..=32) => Ok(width),
            _ => Err(row.error(format!("bad width in `{token}`"))),
        },
    }
}

fn binary(row: &Row, bits: &str) -> Result<u32, Error> {
    u32::from_str_radix(bits, 2).map_err(|_| row.error(format!("`{bits}` is not a row of bits")))
}

fn parse_field(row: &Row, token: &str, lsb: u32, width: u32) -> Result<Field, Error> {
    let (head, excluded) = match token.split_once("!=") {
        None => (token, Vec::new()),
        Some((head, values)) => {
            let values: Result<Vec<u32>, _> = values.split(',').map(str::parse).collect();
            let values = values.map_err(|_| row.error(format!("bad excluded value in `{token}`")))?;
            if values.iter().any(|v| u64::from(*v) >> width != 0) {
                return Err(row.error(format!("excluded value of `{token}` does not fit the field")));
            }
            (head, values)
        }
    };
    let name = head.split(':').next().unwrap_or(head);
    if !is_name(name) || KEYWORDS.contains(&name) {
        return Err(row.error(format!("`{name}` is not a field name")));
    }
    if row.fields.iter().any(|field| field.name == name) {
        return Err(row.error(format!("field `{name}` occurs twice")));
    }
    Ok(Field {
        name: name.to_owned(),
        lsb,
        width,
        excluded,
    })
}

/// Splits `add {wxsp(sf, rd)}, #{imm12}"` into parts. `{{` is a literal brace, and so
/// is `}` outside an expression.
fn parse_text(row: &Row, line: usize, quoted: &str) -> Result<Vec<Part>, Error> {
    let Some(text) = quoted.trim_end().strip_suffix('"') else {
        return Err(row.error_at(line, "the text does not end with a quote"));
    };
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        literal.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            literal.push('{');
            rest = after;
            continue;
        }
        let Some(close) = rest.find('}') else {
            return Err(row.error_at(line, "`{` without `}`"));
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        expr::check(row, line, &rest[..close], true)?;
        parts.push(Part::Expr(rest[..close].to_owned()));
        rest = &rest[close + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}
