# `make` or `make help` lists what there is to do.

VERSIONS ?= 14 15 16 17 18 19
FUZZ_SECONDS ?= 30
FUZZ_TARGETS ?=
ARGS ?=
# Most tests wait for a server most of the time, so more of them than processors run at once.
TEST_THREADS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
export RUST_TEST_THREADS ?= $(TEST_THREADS)

CARGO_DENY_VERSION := 0.20
CARGO_FUZZ_VERSION := 0.13

# Programs that are built for this project alone.
TOOLS := target/tools
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)

# On Linux one file that needs nothing of the system it is copied to; Cargo must be told the target
# by name, or the flag would reach build scripts and procedural macros as well.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
# Packed relocations take 6 % off the file, which glibc reads since 2.36. A program that aborts at a panic needs no index of
# stack frames, 1 %. LLD, the linker on x86-64, folds identical functions, 1 %, and leaves the stack frames out too, 8 %.
FOLD = $(if $(findstring x86_64,$(HOST)),-C link-arg=-Wl$(comma)--icf=all -C link-arg=-Wl$(comma)-T$(comma)$(CURDIR)/scripts/no-unwinding.ld)
comma := ,
RELEASE_LINUX = RUSTFLAGS="$$RUSTFLAGS -C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--no-eh-frame-hdr $(FOLD)" \
	cargo build --release --locked --target $(HOST)
RELEASE_OTHER = cargo build --release --locked --target $(HOST)
RELEASE = $(if $(findstring linux,$(HOST)),$(RELEASE_LINUX),$(RELEASE_OTHER))
API_BINARY = $(or $(CARGO_TARGET_DIR),target)/$(HOST)/release/zerostarter-api
BINARY = $(or $(CARGO_TARGET_DIR),target)/$(HOST)/release/zerostarter-db

.DEFAULT_GOAL := help
.PHONY: help build build-api migrate db db-stop db-reset db-remove psql image up down logs studio \
	queries test-docker test-kubernetes test-workflows \
	test test-matrix postgres-versions soak \
	peers fuzz bench bench-docs bench-api bench-api-docs lint deny advisories clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^# ---- / { gsub(/^# -+ | -+$$/, ""); printf "\n%s\n", $$0 } \
		/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---- Run ----

migrate: ## Build the program and migrate POSTGRES_URL, or the private database if it is unset (ARGS="--target 0")
	@scripts/migrate.sh $(ARGS)

build: ## Build the release binary, static on Linux
	@$(RELEASE) --package zerostarter-db
	@ls -l $(BINARY)

build-api: ## Build the web app, static on Linux
	@CARGO_PROFILE_RELEASE_OPT_LEVEL=3 $(RELEASE) --package zerostarter-waitlist
	@ls -l $(API_BINARY)

# ---- A private database, in .postgres/ ----

db: ## Create it if it does not exist, start it, print its URL, and write that to .env if there is no .env
	@scripts/local-postgres.sh start

db-stop: ## Stop it, keeping its data
	@scripts/local-postgres.sh stop

db-reset: ## Delete its data and start again, with the same URL
	@scripts/local-postgres.sh reset

db-remove: ## Stop and delete it
	@scripts/local-postgres.sh remove

psql: ## Open psql on it (ARGS="-c 'select 1'")
	@scripts/local-postgres.sh psql $(ARGS)

# ---- Docker ----

image: ## Build the images of the migrator and of the web app
	@docker build $(if $(RUST_IMAGE),--build-arg RUST_IMAGE=$(RUST_IMAGE)) --file docker/Dockerfile --tag zerostarter-db .
	@docker build $(if $(RUST_IMAGE),--build-arg RUST_IMAGE=$(RUST_IMAGE)) --file docker/Dockerfile --target api --tag zerostarter-api .

up: ## Start PostgreSQL, migrate it, then start the app
	@docker compose up --detach

down: ## Stop them; the data stays
	@docker compose --profile studio down

logs: ## Show their logs
	@docker compose logs

studio: ## Start a browser for the data, with Docker or with Debian's adminer
	@scripts/studio.sh

test-docker: ## Test the stack on a real engine (ARGS="test_...": those tests)
	@tests/docker/run.sh $(ARGS)

test-kubernetes: ## Check the manifests, and run them with podman if it works
	@tests/kubernetes/run.sh $(ARGS)

test-workflows: ## Check the workflows and the snippets of docs/ci.md
	@tests/workflows/run.sh

# ---- Schema ----

queries: ## Compile queries/*.sql into crates/queries, against a new database (ARGS=--check: only compare)
	@scripts/queries.sh $(ARGS)

# ---- Check ----

test: ## Run every test, on the newest PostgreSQL here (POSTGRES_TEST_VERSION=18: on that one)
	@[ -n "$$POSTGRES_TEST_VERSION" ] || scripts/local-postgres.sh binaries >/dev/null
	@scripts/install-peers.sh refinery sqlx npm drizzle-1
	@cargo test --locked --workspace
	@cargo test --locked --features dev --test import

test-matrix: ## Run the integration tests on PostgreSQL 14 to 19 (VERSIONS="15 19": on those)
	@scripts/install-peers.sh refinery npm drizzle-1
	@scripts/test-matrix.sh $(VERSIONS)

postgres-versions: ## Fetch PostgreSQL 14 to 19 into .postgres/versions (VERSIONS="15 19": those)
	@scripts/postgres-versions.sh $(VERSIONS)

soak: ## Run the tests of races for longer
	@TEST_ROUNDS=20 cargo test --locked --workspace --test integration --test pool -- blocked_tables:: concurrency:: crash_points:: crashes:: non_transactional:: pool:: poolers:: signals::
	@TEST_ROUNDS=20 cargo test --locked --package zerostarter-waitlist --test api

lint: deny ## Check format, lints, documentation, dependencies, and scripts if shellcheck is installed
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@cargo clippy --locked --features dev --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	@if command -v shellcheck >/dev/null; then shellcheck -x scripts/*.sh tests/docker/*.sh tests/kubernetes/*.sh tests/workflows/*.sh .github/*.sh tests/docker/images/postgres/entrypoint.sh .ci/run; fi

deny: ## Check bans, licenses and sources of dependencies, offline
	@scripts/cargo-tool.sh $(TOOLS) cargo-deny cargo-deny $(CARGO_DENY_VERSION)
	@cargo fetch --locked --quiet
	@cargo deny --offline --locked check --hide-inclusion-graph bans licenses sources

advisories: ## Check dependencies against RustSec's advisories, from the network
	@scripts/cargo-tool.sh $(TOOLS) cargo-deny cargo-deny $(CARGO_DENY_VERSION)
	@cargo deny --locked check --hide-inclusion-graph advisories

peers: ## Build the other tools that tests and benchmarks compare with
	@scripts/install-peers.sh

fuzz: ## Fuzz for a while (FUZZ_SECONDS=30 each, FUZZ_TARGETS="...": only those)
	@scripts/cargo-tool.sh $(TOOLS) cargo-fuzz cargo-fuzz $(CARGO_FUZZ_VERSION)
	@scripts/fuzz.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

bench: build ## Compare with four other tools, on one server (BENCH_RUNS=5: a short run)
	@scripts/local-postgres.sh binaries >/dev/null
	@scripts/install-peers.sh
	@ZEROSTARTER_DB_BINARY=$(BINARY) cargo bench --locked --bench peers

bench-docs: ## The same, and write the figures into README.md and docs/benchmarks.md
	@BENCH_WRITE=yes $(MAKE) --no-print-directory bench

bench-api: build-api ## Compare the web app with Bun, Hono and Drizzle (BENCH_SECONDS=2 BENCH_ROUNDS=1: a short run)
	@scripts/local-postgres.sh binaries >/dev/null
	@scripts/install-peers.sh hono
	@TMPDIR=$${TMPDIR:-/tmp} ZEROSTARTER_API_BINARY=$(CURDIR)/$(API_BINARY) cargo bench --locked --bench api

bench-api-docs: ## The same, and write the figures into docs/benchmarks-api.md
	@BENCH_WRITE=yes $(MAKE) --no-print-directory bench-api

clean: ## Remove build results; the private database stays
	@cargo clean
