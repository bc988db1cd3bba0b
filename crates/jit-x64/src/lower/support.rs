//! What the lowering has sequences for. The builder asks before it records an
//! operation; everything else is executed by the interpreter.

use super::{fp, vec};
use crate::target::HostFeatures;
use semantics::ops::{Fp1, Fp2, Fp3, FpToInt, Int1, Lane, Rounding, Shape, Span, Vec1, Vec2, Vec3, VecShift};

#[must_use]
pub fn int1(op: Int1) -> bool {
    match op {
        Int1::Not
        | Int1::Neg
        | Int1::Clz
        | Int1::Cls
        | Int1::Rbit
        | Int1::Rev16
        | Int1::Rev32
        | Int1::Rev
        | Int1::Ctz
        | Int1::Cnt
        | Int1::Abs => true,
    }
}

#[must_use]
pub fn vec1(host: HostFeatures, op: Vec1, s: Shape) -> bool {
    vec::plan1(host, op, s).is_some()
}

#[must_use]
pub fn vec2(host: HostFeatures, op: Vec2, s: Shape) -> bool {
    vec::plan2(host, op, s).is_some()
}

#[must_use]
pub fn vec3(host: HostFeatures, op: Vec3, s: Shape) -> bool {
    match op {
        Vec3::Bsl => true,
        Vec3::Mla | Vec3::Mls => vec2(host, Vec2::Mul, s),
        Vec3::Smlal | Vec3::Smlsl | Vec3::Umlal | Vec3::Umlsl => vec2(host, Vec2::Smull, s),
        Vec3::Saba | Vec3::Uaba => vec2(host, Vec2::Sabd, s),
        Vec3::Sabal | Vec3::Uabal => vec2(host, Vec2::Sabdl, s),
        Vec3::SqDmlal | Vec3::SqDmlsl => vec2(host, Vec2::SqDmull, s),
        Vec3::SqRdmlah | Vec3::SqRdmlsh => vec2(host, Vec2::SqDmulh, s),
        Vec3::Sdot | Vec3::Udot | Vec3::Usdot | Vec3::Smmla | Vec3::Ummla | Vec3::Usmmla => true,
        Vec3::Sha512H | Vec3::Sha512H2 | Vec3::Sha512Su1 => true,
        Vec3::Sha1Su0 => true,
        Vec3::Sha1C | Vec3::Sha1P | Vec3::Sha1M | Vec3::Sha256H | Vec3::Sha256H2 | Vec3::Sha256Su1 => {
            host.sha
        }
        Vec3::Sm3Ss1
        | Vec3::Sm3Tt1A
        | Vec3::Sm3Tt1B
        | Vec3::Sm3Tt2A
        | Vec3::Sm3Tt2B
        | Vec3::Sm3PartW1
        | Vec3::Sm3PartW2 => false,
    }
}

#[must_use]
pub fn vec_shift(op: VecShift, s: Shape, amount: u8) -> bool {
    let wide = s.lane != Lane::Q;
    match op {
        VecShift::Shl | VecShift::Ushr | VecShift::Sshr | VecShift::Urshr | VecShift::Srshr => wide,
        VecShift::Sli | VecShift::Sri => wide,
        VecShift::SqShl | VecShift::UqShl | VecShift::SqShlu => wide,
        VecShift::SqShrn
        | VecShift::SqRshrn
        | VecShift::UqShrn
        | VecShift::UqRshrn
        | VecShift::SqShrun
        | VecShift::SqRshrun => matches!(s.lane, Lane::B | Lane::H | Lane::S),
        VecShift::Ror => s.lane == Lane::D,
        VecShift::Shrn | VecShift::Rshrn => {
            s.span != Span::Scalar && matches!(s.lane, Lane::B | Lane::H | Lane::S)
        }
        VecShift::Sshll | VecShift::Ushll => amount < 64 && matches!(s.lane, Lane::H | Lane::S | Lane::D),
    }
}

#[must_use]
pub fn fp1(op: Fp1, s: Shape) -> bool {
    match op {
        Fp1::Abs | Fp1::Neg => matches!(s.lane, Lane::H | Lane::S | Lane::D),
        Fp1::RintA => matches!(s.lane, Lane::S | Lane::D),
        Fp1::Rint32Z | Fp1::Rint32X | Fp1::Rint64Z | Fp1::Rint64X => true,
        Fp1::CvtHS | Fp1::CvtSH => true,
        Fp1::Recpe | Fp1::Rsqrte => s.lane == Lane::S,
        Fp1::CvtHD | Fp1::CvtDH => s.span == Span::Scalar,
        Fp1::Sqrt
        | Fp1::RintN
        | Fp1::RintP
        | Fp1::RintM
        | Fp1::RintZ
        | Fp1::RintI
        | Fp1::RintX
        | Fp1::CmEqZero
        | Fp1::CmGtZero
        | Fp1::CmGeZero
        | Fp1::CmLeZero
        | Fp1::CmLtZero => true,
        Fp1::CvtSD => true,
        Fp1::CvtDS => true,
        Fp1::Recpx | Fp1::CvtDSOdd | Fp1::Maxv | Fp1::Minv | Fp1::MaxNmv | Fp1::MinNmv | Fp1::CvtSBf => false,
    }
}

#[must_use]
pub fn fp2(op: Fp2, s: Shape) -> bool {
    match op {
        Fp2::Add | Fp2::Sub | Fp2::Mul | Fp2::Div | Fp2::Nmul | Fp2::Abd => true,
        Fp2::Max | Fp2::Min | Fp2::MaxNm | Fp2::MinNm => true,
        Fp2::CmEq | Fp2::CmGe | Fp2::CmGt | Fp2::AcGe | Fp2::AcGt => true,
        Fp2::Addp => fp::pairwise(s),
        Fp2::Rsqrts => s.lane != Lane::H,
        Fp2::Mulx
        | Fp2::Recps
        | Fp2::Maxp
        | Fp2::Minp
        | Fp2::MaxNmp
        | Fp2::MinNmp
        | Fp2::Cadd90
        | Fp2::Cadd270 => false,
    }
}

#[must_use]
pub fn fp3(op: Fp3) -> bool {
    match op {
        Fp3::MulAdd | Fp3::MulSub | Fp3::NegMulAdd | Fp3::NegMulSub => true,
        Fp3::MulAddLong | Fp3::MulSubLong => false,
        Fp3::Cmla0 | Fp3::Cmla90 | Fp3::Cmla180 | Fp3::Cmla270 => false,
        Fp3::BfDot | Fp3::BfMmla | Fp3::BfMlalB | Fp3::BfMlalT => false,
    }
}

#[must_use]
pub fn fp_to_int(how: FpToInt) -> bool {
    match how.rounding {
        Rounding::Zero | Rounding::MinusInf | Rounding::PlusInf | Rounding::TieEven | Rounding::TieAway => {
            true
        }
        Rounding::Odd | Rounding::Current => false,
    }
}
