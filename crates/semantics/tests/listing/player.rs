//! A player that writes operations down, and notes where one breaks the rules of `Ops`.
//!
//! Operations without effects become nested expressions; loads, stores and whatever
//! sets flags or registers become lines. A register's name in an expression is its
//! value before the instruction.

use a64_isa::FeatureSet;
use semantics::ops::{
    AtomicOps, Barrier, BulkOp, BulkRegs, BulkStage, Cond, ControlOps, Crc, Exception, FlagOp, FlagOps,
    FloatOps, Fp1, Fp2, Fp3, FpSize, FpToInt, Indirect, Int1, Int2, IntToFp, IntegerOps, Lane, LoadExt,
    Machine, MemSize, MemoryOps, Order, PacKey, PauthOps, Qarma, RegisterOps, Rmw, Shape, Span, SysReg,
    SystemOps, Test, Vec1, Vec2, Vec3, VecShift, VectorOps, Width,
};
use std::fmt::Debug;

/// A general value: index of its expression.
#[derive(Clone, Copy)]
pub struct Val(usize);

/// A vector value: index of its expression.
#[derive(Clone, Copy)]
pub struct Vector(usize);

#[derive(Default)]
pub struct Listing {
    pc: u64,
    expressions: Vec<String>,
    temporaries: usize,
    pub lines: Vec<String>,
    /// Rules broken, in words.
    pub broken: Vec<String>,
    registers_written: Vec<String>,
    ended: bool,
}

/// `add.x`
fn suffixed(op: impl Debug, suffix: impl Debug) -> String {
    format!("{op:?}.{suffix:?}").to_lowercase()
}

/// The same for a name.
fn sized(name: &str, w: Width) -> String {
    format!("{name}.{}", format!("{w:?}").to_lowercase())
}

/// `4s` for four lanes of 32 bits, `s` for a scalar.
fn shape(s: Shape) -> String {
    let lane = format!("{:?}", s.lane).to_lowercase();
    match s.span {
        Span::Scalar => lane,
        Span::Half | Span::Full => format!("{}{lane}", s.lanes()),
    }
}

fn shaped(op: impl Debug, s: Shape) -> String {
    format!("{}.{}", format!("{op:?}").to_lowercase(), shape(s))
}

fn sign(signed: bool) -> &'static str {
    if signed { "signed" } else { "unsigned" }
}

impl Listing {
    pub fn new(pc: u64) -> Self {
        Listing {
            pc,
            ..Listing::default()
        }
    }

    fn text(&self, value: Val) -> &str {
        &self.expressions[value.0]
    }

    fn vtext(&self, value: Vector) -> &str {
        &self.expressions[value.0]
    }

    fn expression(&mut self, text: String) -> usize {
        self.expressions.push(text);
        self.expressions.len() - 1
    }

    fn value(&mut self, text: String) -> Val {
        Val(self.expression(text))
    }

    fn vector(&mut self, text: String) -> Vector {
        Vector(self.expression(text))
    }

    fn line(&mut self, text: String) {
        if self.ended {
            self.broken
                .push(format!("`{text}` comes behind a branch or exception"));
        }
        self.lines.push(text);
    }

    /// A line that gives a value a name.
    fn named(&mut self, text: String) -> usize {
        let name = format!("t{}", self.temporaries);
        self.temporaries += 1;
        self.line(format!("{name} = {text}"));
        self.expression(name)
    }

    /// A line that accesses memory.
    fn access(&mut self, text: &str) {
        if let Some(register) = self.registers_written.first() {
            self.broken.push(format!(
                "`{text}` may fault when {register} has already been written"
            ));
        }
    }

    fn load_line(&mut self, text: String) -> usize {
        self.access(&text);
        self.named(text)
    }

    fn store_line(&mut self, text: String) {
        self.access(&text);
        self.line(text);
    }

    fn read(&mut self, register: String) -> usize {
        if self.registers_written.contains(&register) {
            self.broken
                .push(format!("{register} is read after it was written"));
        }
        self.expression(register)
    }

    fn write(&mut self, register: String, text: String) {
        self.line(format!("{register} = {text}"));
        self.registers_written.push(register);
    }

    fn end(&mut self, text: String) {
        self.line(text);
        self.ended = true;
    }

    fn place(&self, base: Val, offset: i64) -> String {
        match offset {
            0 => format!("[{}]", self.text(base)),
            _ => format!("[{} + {offset}]", self.text(base)),
        }
    }

    /// The two values of a pair.
    fn halves(&mut self, pair: usize) -> (Val, Val) {
        let name = self.expressions[pair].clone();
        (self.value(format!("{name}.0")), self.value(format!("{name}.1")))
    }
}

impl Machine for Listing {
    type Value = Val;
    type Vector = Vector;

    fn pc(&self) -> u64 {
        self.pc
    }

    fn features(&self) -> FeatureSet {
        FeatureSet::ALL
    }
}

impl RegisterOps for Listing {
    fn x(&mut self, n: u8) -> Val {
        if n == 31 {
            self.value("0".to_owned())
        } else {
            Val(self.read(format!("x{n}")))
        }
    }

    fn set_x(&mut self, n: u8, value: Val) {
        let text = self.text(value).to_owned();
        if n == 31 {
            self.line(format!("drop {text}"));
        } else {
            self.write(format!("x{n}"), text);
        }
    }

    fn sp(&mut self) -> Val {
        Val(self.read("sp".to_owned()))
    }

    fn set_sp(&mut self, value: Val) {
        let text = self.text(value).to_owned();
        self.write("sp".to_owned(), text);
    }

    fn v(&mut self, n: u8) -> Vector {
        Vector(self.read(format!("v{n}")))
    }

    fn set_v(&mut self, n: u8, value: Vector) {
        let text = self.vtext(value).to_owned();
        self.write(format!("v{n}"), text);
    }
}

impl IntegerOps for Listing {
    fn imm(&mut self, value: u64) -> Val {
        self.value(if value < 10 {
            value.to_string()
        } else {
            format!("{value:#x}")
        })
    }

    fn int1(&mut self, op: Int1, w: Width, a: Val) -> Val {
        self.value(format!("{}({})", suffixed(op, w), self.text(a)))
    }

    fn int2(&mut self, op: Int2, w: Width, a: Val, b: Val) -> Val {
        self.value(format!("{}({}, {})", suffixed(op, w), self.text(a), self.text(b)))
    }

    fn extend(&mut self, w: Width, signed: bool, bits: u8, a: Val) -> Val {
        self.value(format!(
            "{}({} {bits}, {})",
            sized("extend", w),
            sign(signed),
            self.text(a)
        ))
    }

    fn extract(&mut self, w: Width, signed: bool, a: Val, lsb: u8, len: u8) -> Val {
        let op = sized("extract", w);
        self.value(format!("{op}({} {lsb}+{len}, {})", sign(signed), self.text(a)))
    }

    fn insert(&mut self, w: Width, dst: Val, src: Val, lsb: u8, len: u8) -> Val {
        let op = sized("insert", w);
        self.value(format!(
            "{op}({}, {lsb}+{len} = {})",
            self.text(dst),
            self.text(src)
        ))
    }

    fn extract_pair(&mut self, w: Width, hi: Val, lo: Val, lsb: u8) -> Val {
        let op = sized("pair", w);
        self.value(format!("{op}({}:{} from {lsb})", self.text(hi), self.text(lo)))
    }

    fn crc32(&mut self, poly: Crc, bytes: u8, acc: Val, data: Val) -> Val {
        self.value(format!(
            "crc32({poly:?}, {bytes} bytes, {}, {})",
            self.text(acc),
            self.text(data)
        ))
    }
}

impl FlagOps for Listing {
    fn flag_op(&mut self, op: FlagOp, w: Width, a: Val, b: Val) -> Val {
        let text = format!(
            "{}({}, {}) setting flags",
            suffixed(op, w),
            self.text(a),
            self.text(b)
        );
        Val(self.named(text))
    }

    fn invert_carry(&mut self) {
        self.line("flags = flags with C inverted".to_owned());
    }

    fn carry_op(&mut self, op: FlagOp, w: Width, a: Val, b: Val) -> Val {
        self.value(format!("{}({}, {})", suffixed(op, w), self.text(a), self.text(b)))
    }

    fn cond_compare(&mut self, op: FlagOp, w: Width, cond: Cond, a: Val, b: Val, nzcv: u8) {
        let compare = format!("{}({}, {})", suffixed(op, w), self.text(a), self.text(b));
        self.line(format!("flags = if {cond:?} of {compare} else {nzcv}"));
    }

    fn select(&mut self, cond: Cond, a: Val, b: Val) -> Val {
        self.value(format!("select({cond:?}, {}, {})", self.text(a), self.text(b)))
    }
}

impl MemoryOps for Listing {
    fn load(&mut self, size: MemSize, ext: LoadExt, base: Val, offset: i64) -> Val {
        Val(self.load_line(format!("load {size:?} {ext:?} {}", self.place(base, offset))))
    }

    fn store(&mut self, size: MemSize, base: Val, offset: i64, value: Val) {
        self.store_line(format!(
            "store {size:?} {} = {}",
            self.place(base, offset),
            self.text(value)
        ));
    }

    fn load_v(&mut self, size: MemSize, base: Val, offset: i64) -> Vector {
        Vector(self.load_line(format!("load_v {size:?} {}", self.place(base, offset))))
    }

    fn store_v(&mut self, size: MemSize, base: Val, offset: i64, value: Vector) {
        self.store_line(format!(
            "store_v {size:?} {} = {}",
            self.place(base, offset),
            self.vtext(value)
        ));
    }

    fn load_pair(&mut self, shared: bool, base: Val, offset: i64) -> (Val, Val) {
        let kind = if shared { "load_pair" } else { "load_pair own" };
        let pair = self.load_line(format!("{kind} {}", self.place(base, offset)));
        self.halves(pair)
    }

    fn store_pair(&mut self, shared: bool, base: Val, offset: i64, values: (Val, Val)) {
        let kind = if shared { "store_pair" } else { "store_pair own" };
        let values = format!("{}, {}", self.text(values.0), self.text(values.1));
        self.store_line(format!("{kind} {} = {values}", self.place(base, offset)));
    }

    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs) {
        let BulkRegs { rd, rs, rn } = regs;
        self.load_line(format!("bulk {op:?} {stage:?} x{rd}, x{rs}, x{rn}"));
    }
}

impl AtomicOps for Listing {
    fn load_acquire(&mut self, size: MemSize, addr: Val) -> Val {
        Val(self.load_line(format!("load_acquire {size:?} [{}]", self.text(addr))))
    }

    fn store_release(&mut self, size: MemSize, addr: Val, value: Val) {
        self.store_line(format!(
            "store_release {size:?} [{}] = {}",
            self.text(addr),
            self.text(value)
        ));
    }

    fn load_acquire_v(&mut self, size: MemSize, addr: Val) -> Vector {
        Vector(self.load_line(format!("load_acquire_v {size:?} [{}]", self.text(addr))))
    }

    fn store_release_v(&mut self, size: MemSize, addr: Val, value: Vector) {
        self.store_line(format!(
            "store_release_v {size:?} [{}] = {}",
            self.text(addr),
            self.vtext(value)
        ));
    }

    fn load_exclusive(&mut self, size: MemSize, order: Order, addr: Val) -> Val {
        Val(self.load_line(format!("load_exclusive {size:?} {order:?} [{}]", self.text(addr))))
    }

    fn load_exclusive_pair(&mut self, size: MemSize, order: Order, addr: Val) -> (Val, Val) {
        let pair = self.load_line(format!(
            "load_exclusive_pair {size:?} {order:?} [{}]",
            self.text(addr)
        ));
        self.halves(pair)
    }

    fn store_exclusive(&mut self, size: MemSize, order: Order, addr: Val, value: Val) -> Val {
        let place = self.text(addr).to_owned();
        let text = format!(
            "store_exclusive {size:?} {order:?} [{place}] = {}",
            self.text(value)
        );
        Val(self.load_line(text))
    }

    fn store_exclusive_pair(&mut self, size: MemSize, order: Order, addr: Val, values: (Val, Val)) -> Val {
        let values = format!("{}, {}", self.text(values.0), self.text(values.1));
        let text = format!(
            "store_exclusive_pair {size:?} {order:?} [{}] = {values}",
            self.text(addr)
        );
        Val(self.load_line(text))
    }

    fn clear_exclusive(&mut self) {
        self.line("clear_exclusive".to_owned());
    }

    fn atomic_rmw(&mut self, op: Rmw, size: MemSize, order: Order, addr: Val, value: Val) -> Val {
        let place = self.text(addr).to_owned();
        let text = format!("atomic {op:?} {size:?} {order:?} [{place}], {}", self.text(value));
        Val(self.load_line(text))
    }

    fn atomic_rmw_pair(&mut self, op: Rmw, order: Order, addr: Val, values: (Val, Val)) -> (Val, Val) {
        let values = format!("{}, {}", self.text(values.0), self.text(values.1));
        let text = format!("atomic_pair {op:?} {order:?} [{}], {values}", self.text(addr));
        let pair = self.load_line(text);
        self.halves(pair)
    }

    fn compare_swap(&mut self, size: MemSize, order: Order, addr: Val, expected: Val, new: Val) -> Val {
        let values = format!("{}, {}", self.text(expected), self.text(new));
        Val(self.load_line(format!(
            "compare_swap {size:?} {order:?} [{}], {values}",
            self.text(addr)
        )))
    }

    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        order: Order,
        addr: Val,
        expected: (Val, Val),
        new: (Val, Val),
    ) -> (Val, Val) {
        let values = [expected.0, expected.1, new.0, new.1]
            .map(|value| self.text(value).to_owned())
            .join(", ");
        let text = format!(
            "compare_swap_pair {size:?} {order:?} [{}], {values}",
            self.text(addr)
        );
        let pair = self.load_line(text);
        self.halves(pair)
    }

    fn barrier(&mut self, kind: Barrier) {
        self.line(format!("barrier {kind:?}"));
    }
}

impl SystemOps for Listing {
    fn read_sys(&mut self, reg: SysReg) -> Val {
        Val(self.named(format!("{reg:?}")))
    }

    fn write_sys(&mut self, reg: SysReg, value: Val) {
        let text = self.text(value).to_owned();
        self.write(format!("{reg:?}"), text);
    }

    fn invalidate_code(&mut self, addr: Val) {
        let text = format!("invalidate_code [{}]", self.text(addr));
        self.end(text);
    }
}

impl PauthOps for Listing {
    fn pac_key(&mut self, key: PacKey, word: u8) -> Val {
        self.value(format!("key {key:?} word {word}"))
    }

    fn pac_bits(&mut self, key: PacKey) -> Val {
        self.value(format!("key {key:?} bits"))
    }

    fn qarma(&mut self, cipher: Qarma, pointer: Val, modifier: Val, key: PacKey) -> Val {
        let (pointer, modifier) = (self.text(pointer), self.text(modifier));
        let text = format!("qarma {cipher:?} {key:?} {pointer} {modifier}");
        self.value(text)
    }

    fn check_signature(&mut self, pointer: Val, bits: Val) {
        let text = format!("check_signature {} {}", self.text(pointer), self.text(bits));
        self.load_line(text);
    }
}

impl ControlOps for Listing {
    fn branch(&mut self, target: u64) {
        self.end(format!("branch {target:#x}"));
    }

    fn call(&mut self, target: u64) {
        self.end(format!("call {target:#x}"));
    }

    fn branch_if(&mut self, test: Test<Val>, target: u64) {
        let test = match test {
            Test::Cond(cond) => format!("{cond:?}"),
            Test::Zero(w, value) => format!("{}({})", sized("zero", w), self.text(value)),
            Test::NonZero(w, value) => {
                format!("{}({})", sized("nonzero", w), self.text(value))
            }
            Test::BitClear(value, bit) => format!("bit {bit} clear({})", self.text(value)),
            Test::BitSet(value, bit) => format!("bit {bit} set({})", self.text(value)),
        };
        self.end(format!("branch {target:#x} if {test}"));
    }

    fn branch_to(&mut self, target: Val, kind: Indirect) {
        let text = format!("branch_to {} {kind:?}", self.text(target));
        self.end(text);
    }

    fn exception(&mut self, exception: Exception) {
        self.end(format!("exception {exception:?}"));
    }
}

impl VectorOps for Listing {
    fn vec_imm(&mut self, value: u128) -> Vector {
        self.vector(format!("{value:#x}"))
    }

    fn vec1(&mut self, op: Vec1, s: Shape, a: Vector) -> Vector {
        self.vector(format!("{}({})", shaped(op, s), self.vtext(a)))
    }

    fn vec2(&mut self, op: Vec2, s: Shape, a: Vector, b: Vector) -> Vector {
        self.vector(format!("{}({}, {})", shaped(op, s), self.vtext(a), self.vtext(b)))
    }

    fn vec3(&mut self, op: Vec3, s: Shape, a: Vector, b: Vector, c: Vector) -> Vector {
        let operands = format!("{}, {}, {}", self.vtext(a), self.vtext(b), self.vtext(c));
        self.vector(format!("{}({operands})", shaped(op, s)))
    }

    fn vec_shift(&mut self, op: VecShift, s: Shape, acc: Vector, a: Vector, amount: u8) -> Vector {
        self.vector(format!(
            "{}({}, {}, {amount})",
            shaped(op, s),
            self.vtext(acc),
            self.vtext(a)
        ))
    }

    fn vec_dup_lane(&mut self, s: Shape, a: Vector, index: u8) -> Vector {
        self.vector(format!("dup.{}({}[{index}])", shape(s), self.vtext(a)))
    }

    fn vec_dup(&mut self, s: Shape, value: Val) -> Vector {
        self.vector(format!("dup.{}({})", shape(s), self.text(value)))
    }

    fn vec_set_lane(&mut self, lane: Lane, dst: Vector, index: u8, value: Val) -> Vector {
        self.vector(format!(
            "set.{lane:?}({}, [{index}] = {})",
            self.vtext(dst),
            self.text(value)
        ))
    }

    fn vec_copy_lane(&mut self, lane: Lane, dst: Vector, to: u8, src: Vector, from: u8) -> Vector {
        self.vector(format!(
            "copy.{lane:?}({}, [{to}] = {}[{from}])",
            self.vtext(dst),
            self.vtext(src)
        ))
    }

    fn vec_get_lane(&mut self, lane: Lane, a: Vector, index: u8, signed: Option<Width>) -> Val {
        let signed = signed.map_or(String::new(), |w| format!(" signed {w:?}"));
        self.value(format!("get.{lane:?}({}[{index}]{signed})", self.vtext(a)))
    }

    fn vec_ext(&mut self, s: Span, lo: Vector, hi: Vector, index: u8) -> Vector {
        self.vector(format!(
            "ext.{s:?}({}:{} from {index})",
            self.vtext(hi),
            self.vtext(lo)
        ))
    }

    fn vec_table(&mut self, s: Span, table: &[Vector], indices: Vector, fallback: Option<Vector>) -> Vector {
        let table: Vec<&str> = table.iter().map(|entry| self.vtext(*entry)).collect();
        let fallback = fallback.map_or("0", |value| self.vtext(value));
        let text = format!(
            "table.{s:?}([{}], {}, else {fallback})",
            table.join(", "),
            self.vtext(indices)
        );
        self.vector(text)
    }

    fn vec_select(&mut self, cond: Cond, a: Vector, b: Vector) -> Vector {
        self.vector(format!("select({cond:?}, {}, {})", self.vtext(a), self.vtext(b)))
    }
}

impl FloatOps for Listing {
    fn fp1(&mut self, op: Fp1, s: Shape, a: Vector) -> Vector {
        self.vector(format!("f{}({})", shaped(op, s), self.vtext(a)))
    }

    fn fp2(&mut self, op: Fp2, s: Shape, a: Vector, b: Vector) -> Vector {
        self.vector(format!(
            "f{}({}, {})",
            shaped(op, s),
            self.vtext(a),
            self.vtext(b)
        ))
    }

    fn fp3(&mut self, op: Fp3, s: Shape, a: Vector, b: Vector, c: Vector) -> Vector {
        let operands = format!("{}, {}, {}", self.vtext(a), self.vtext(b), self.vtext(c));
        self.vector(format!("f{}({operands})", shaped(op, s)))
    }

    fn fp_compare(&mut self, size: FpSize, signaling: bool, a: Vector, b: Vector) {
        let how = if signaling { " signaling" } else { "" };
        self.line(format!(
            "flags = fcmp.{size:?}({}, {}){how}",
            self.vtext(a),
            self.vtext(b)
        ));
    }

    fn fp_cond_compare(&mut self, size: FpSize, signaling: bool, cond: Cond, a: Vector, b: Vector, nzcv: u8) {
        let how = if signaling { " signaling" } else { "" };
        let compare = format!("fcmp.{size:?}({}, {}){how}", self.vtext(a), self.vtext(b));
        self.line(format!("flags = if {cond:?} of {compare} else {nzcv}"));
    }

    fn fp_to_int(&mut self, how: FpToInt, w: Width, size: FpSize, a: Vector) -> Val {
        self.value(format!("fp_to_int.{w:?}.{size:?}({how:?}, {})", self.vtext(a)))
    }

    fn fp_to_js_int(&mut self, a: Vector) -> Val {
        let text = self.vtext(a).to_owned();
        self.line(format!("flags = fp_to_js_int({text})"));
        self.value(format!("fp_to_js_int({text})"))
    }

    fn int_to_fp(&mut self, how: IntToFp, w: Width, size: FpSize, value: Val) -> Vector {
        self.vector(format!("int_to_fp.{w:?}.{size:?}({how:?}, {})", self.text(value)))
    }

    fn vec_fp_to_int(&mut self, how: FpToInt, s: Shape, a: Vector) -> Vector {
        self.vector(format!("fp_to_int.{}({how:?}, {})", shape(s), self.vtext(a)))
    }

    fn vec_int_to_fp(&mut self, how: IntToFp, s: Shape, a: Vector) -> Vector {
        self.vector(format!("int_to_fp.{}({how:?}, {})", shape(s), self.vtext(a)))
    }
}
