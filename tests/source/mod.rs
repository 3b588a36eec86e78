mod directories;
mod files;
mod unknown_files;
