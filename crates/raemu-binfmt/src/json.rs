//! Writes JSON, indented by two spaces.

/// A value.
pub enum Json {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// A list of texts.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Json {
        Json::List(texts.into_iter().map(Json::text).collect())
    }

    /// The text, with a line feed at the end.
    pub fn print(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Text(text) => write_text(out, text),
            Json::List(items) => write_items(out, depth, ['[', ']'], items, |out, item| {
                item.write(out, depth + 1);
            }),
            Json::Object(items) => write_items(out, depth, ['{', '}'], items, |out, (key, value)| {
                write_text(out, key);
                out.push_str(": ");
                value.write(out, depth + 1);
            }),
        }
    }
}

fn write_items<T>(
    out: &mut String,
    depth: usize,
    brackets: [char; 2],
    items: &[T],
    each: impl Fn(&mut String, &T),
) {
    out.push(brackets[0]);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        each(out, item);
    }
    if !items.is_empty() {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(brackets[1]);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (value, expected) in [
            (Json::Null, "null\n"),
            (Json::Bool(true), "true\n"),
            (Json::text("a\"\\\n\u{1}é"), "\"a\\\"\\\\\\n\\u0001é\"\n"),
            (Json::List(Vec::new()), "[]\n"),
            (Json::texts(["a", "b"]), "[\n  \"a\",\n  \"b\"\n]\n"),
            (
                Json::Object(vec![("a", Json::texts(["b"])), ("c", Json::Bool(false))]),
                "{\n  \"a\": [\n    \"b\"\n  ],\n  \"c\": false\n}\n",
            ),
        ] {
            assert_eq!(value.print(), expected);
        }
    }
}
