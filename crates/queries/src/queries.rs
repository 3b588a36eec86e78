// This file was generated with `cornucopia`. Do not modify.

pub mod account;
pub mod invitation;
pub mod member;
pub mod organization;
pub mod session;
pub mod team;
pub mod team_member;
pub mod user;
pub mod verification;
pub mod waitlist;
