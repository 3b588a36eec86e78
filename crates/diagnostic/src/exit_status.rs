//! What a process tells its caller when it exits.

/// The exit status of every command: a contract that scripts, init containers and jobs rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitStatus {
    /// 0: done. For `check` and `wait`: nothing is pending and the history table agrees.
    Success,
    /// 1: a migration failed, or the database answered with an unexpected error.
    Failed,
    /// 2: the command line, the environment or a migration file cannot be used.
    Usage,
    /// 3: the database could not be reached within `MIGRATE_WAIT`.
    Unreachable,
    /// 4: the database was reached and refused: password, TLS, privilege, missing database, standby.
    Refused,
    /// 5: migrations are pending (`check`), or still were when `wait` reached its timeout.
    Pending,
    /// 6: the history table and the migrations of this program disagree.
    Conflict,
    /// 7: blocked by another migrator or a table lock until the limit.
    Blocked,
    /// 129: SIGHUP ended the run.
    HungUp,
    /// 130: SIGINT ended the run.
    Interrupted,
    /// 143: SIGTERM ended the run.
    Terminated,
}

impl ExitStatus {
    /// The number that the operating system gives to the caller.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Refused => 4,
            Self::Pending => 5,
            Self::Conflict => 6,
            Self::Blocked => 7,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The name in the report of a run.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::Conflict => "conflict",
            Self::Blocked => "blocked",
            Self::HungUp => "hung_up",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
