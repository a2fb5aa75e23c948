//! Filters of system calls (`seccomp(2)`).

use std::collections::BTreeMap;

use anyhow::Result;
use nix::errno::Errno;
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// Makes the kernel stop a program where it writes to stdout or stderr, where it begins to sleep or
/// where a connection may come, and nowhere else (`SECCOMP_RET_TRACE`). So the tracer knows which
/// task wrote which line, and can hold it just before. All other system calls, and writes to other
/// descriptors, run at full speed.
pub(super) fn writes_and(sleeps: bool, connections: bool) -> Result<BpfProgram> {
    let first_is = |number| -> Result<SeccompRule> {
        let equals = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, number)?;
        Ok(SeccompRule::new(vec![equals])?)
    };
    let mut calls = BTreeMap::new();
    for call in [libc::SYS_write, libc::SYS_writev] {
        calls.insert(call, vec![first_is(1)?, first_is(2)?]);
    }
    if sleeps {
        for call in [libc::SYS_nanosleep, libc::SYS_clock_nanosleep] {
            calls.insert(call, Vec::new());
        }
        // Of no descriptors: so does Python before 3.11 sleep.
        #[cfg(target_arch = "x86_64")]
        calls.insert(libc::SYS_select, vec![first_is(0)?]);
    }
    if connections {
        for call in [libc::SYS_accept, libc::SYS_accept4, libc::SYS_connect] {
            calls.insert(call, Vec::new());
        }
    }
    compile(calls, SeccompAction::Trace(0))
}

/// What keeps a program from the rest of the machine, besides a filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// A box with nothing in it but what is its own.
    Box,
    /// Rules about opening files, and a user that nobody else is.
    OwnUser,
    /// Rules about opening files; it has the same user as others.
    SharedUser,
}

/// Refuses what no namespace and no rule about files divides, and what would open new ways into the
/// kernel: namespaces and mounts of its own, keys, BPF, and the like. Outside a box also what would
/// outlive the run; and where no user of its own does it, what rules about opening files do not
/// cover: permissions of files, and connections to the sockets of others by their path. That these
/// are refused, the tracer is told, and refuses them: a right program may need such sockets.
pub(super) fn forbidden(surroundings: Surroundings) -> Result<Vec<BpfProgram>> {
    let every = |calls: &[i64]| calls.iter().map(|call| (*call, Vec::new())).collect();
    let argument = |index, operator, value| -> Result<Vec<SeccompRule>> {
        let is = SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)?;
        Ok(vec![SeccompRule::new(vec![is])?])
    };
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = every(ALWAYS);
    if surroundings != Surroundings::Box {
        refused.extend(every(OUTLIVES));
    }
    let new_user = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    refused.insert(libc::SYS_clone, argument(0, SeccompCmpOp::MaskedEq(new_user), new_user)?);
    // Limits of another process, for which to be the same user is enough; and its own of cores, with
    // none of which the kernel would start who takes them, outside (core(5)).
    let is = |index, operator, value| {
        SeccompCondition::new(index, SeccompCmpArgLen::Qword, operator, value)
    };
    let core = u64::from(libc::RLIMIT_CORE);
    let sets = || is(2, SeccompCmpOp::Ne, 0);
    let of_others = SeccompRule::new(vec![is(0, SeccompCmpOp::Ne, 0)?, sets()?])?;
    let of_cores = SeccompRule::new(vec![is(1, SeccompCmpOp::Eq, core)?, sets()?])?;
    refused.insert(libc::SYS_prlimit64, vec![of_others, of_cores]);
    #[cfg(target_arch = "x86_64")]
    refused.insert(libc::SYS_setrlimit, argument(0, SeccompCmpOp::Eq, core)?);
    // To other virtual machines: no network namespace divides these.
    let to_machines = u64::from(libc::AF_VSOCK.cast_unsigned());
    refused.insert(libc::SYS_socket, argument(0, SeccompCmpOp::Eq, to_machines)?);
    let (mut told, mut pretended) = (BTreeMap::new(), BTreeMap::new());
    if surroundings == Surroundings::SharedUser {
        let local = u64::from(libc::AF_UNIX.cast_unsigned());
        told.insert(libc::SYS_socket, argument(0, SeccompCmpOp::Eq, local)?);
        // One that needs no connection can be pointed at anybody's socket, also one of a pair. Of
        // this family a raw one is one of datagrams.
        let mut pairs = Vec::new();
        for kind in [libc::SOCK_DGRAM, libc::SOCK_RAW] {
            let kind = u64::from(kind.cast_unsigned());
            pairs.extend(argument(1, SeccompCmpOp::MaskedEq(0xf), kind)?);
        }
        told.insert(libc::SYS_socketpair, pairs);
        // Who answers its own calls in the kernel's place could let these through (seccomp_unotify(2)).
        let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        refused.insert(libc::SYS_seccomp, argument(1, SeccompCmpOp::MaskedEq(listener), listener)?);
        refused.extend(every(ATTRIBUTES));
        pretended = every(PERMISSIONS);
        for (call, who) in OTHERS_TURN {
            pretended.insert(*call, argument(*who, SeccompCmpOp::Ne, 0)?);
        }
    }
    // As if the kernel were older: C libraries then take the calls that can be looked into.
    let unknown = every(&[
        libc::SYS_clone3,
        libc::SYS_io_setup, // of which there are so many for the whole machine
        libc::SYS_io_uring_setup,
        libc::SYS_memfd_create, // its memory is in no process, and has no bound
        libc::SYS_memfd_secret,
    ]);
    let mut filters = vec![
        compile(refused, SeccompAction::Errno(Errno::EPERM as u32))?,
        compile(unknown, SeccompAction::Errno(Errno::ENOSYS as u32))?,
    ];
    if surroundings == Surroundings::SharedUser {
        filters.push(compile(pretended, SeccompAction::Errno(0))?);
        filters.push(compile(told, SeccompAction::Trace(0))?);
    }
    Ok(filters)
}

/// What is refused everywhere.
const ALWAYS: &[i64] = &[
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_mount_setattr,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // They hold memory that is in no process.
    libc::SYS_shmget,
    libc::SYS_msgget,
];

/// What would still be there after the run.
const OUTLIVES: &[i64] = &[libc::SYS_semget, libc::SYS_mq_open];

/// What puts another process of the same user back behind others, and which argument names it. It
/// seems to succeed, too: a thread that pins itself to a processor names itself.
const OTHERS_TURN: &[(i64, u8)] = &[
    (libc::SYS_setpriority, 1),
    (libc::SYS_ioprio_set, 1),
    (libc::SYS_sched_setaffinity, 0),
    (libc::SYS_sched_setattr, 0),
    (libc::SYS_sched_setparam, 0),
    (libc::SYS_sched_setscheduler, 0),
];

/// What changes files that can't be opened, besides their permissions.
const ATTRIBUTES: &[i64] = &[
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
];

/// What changes permissions. It seems to succeed and changes nothing: honest programs set those of
/// their own files, and seldom need it.
const PERMISSIONS: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
];

/// The same on all architectures, and not yet in the libc crate for all of them.
const FCHMODAT2: i64 = 452;

fn compile(calls: BTreeMap<i64, Vec<SeccompRule>>, action: SeccompAction) -> Result<BpfProgram> {
    let architecture = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(calls, SeccompAction::Allow, action, architecture)?.try_into()?)
}
