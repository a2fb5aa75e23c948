//! Makes the kernel stop a program where it writes to stdout or stderr, and nowhere else.
//!
//! So the tracer knows which task wrote which line, and can hold it just before. All other system
//! calls, and writes to other descriptors, run at full speed (`seccomp(2)`, `SECCOMP_RET_TRACE`).

use anyhow::Result;
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// The filter, to be applied in the child before it executes the program.
pub(super) fn writes_to_stdout_and_stderr() -> Result<BpfProgram> {
    let descriptor = |number| -> Result<SeccompRule> {
        let equals = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, number)?;
        Ok(SeccompRule::new(vec![equals])?)
    };
    let mut calls = std::collections::BTreeMap::new();
    for call in [libc::SYS_write, libc::SYS_writev] {
        calls.insert(call, vec![descriptor(1)?, descriptor(2)?]);
    }
    let filter = SeccompFilter::new(
        calls,
        SeccompAction::Allow,
        SeccompAction::Trace(0),
        std::env::consts::ARCH.try_into()?,
    )?;
    Ok(filter.try_into()?)
}
