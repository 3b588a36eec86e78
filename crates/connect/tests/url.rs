//! The URLs of providers and tools, and what each part of them means.

use zerostarter_connect::url::PostgresUrl;

fn parse(url: &str) -> PostgresUrl {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn the_urls_of_providers_are_accepted() {
    for (url, shown, is_pooler) in [
        // Neon, direct and pooled
        (
            "postgresql://alex:AbC123dEf@ep-cool-darkness-123456.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require",
            "postgres://alex:***@ep-cool-darkness-123456.us-east-2.aws.neon.tech:5432/dbname",
            false,
        ),
        (
            "postgresql://alex:AbC123dEf@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require",
            "postgres://alex:***@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech:5432/dbname",
            true,
        ),
        (
            "postgresql://alex:x@ep-cool.neon.tech/dbname?options=endpoint%3Dep-cool",
            "postgres://alex:***@ep-cool.neon.tech:5432/dbname",
            false,
        ),
        // Supabase: direct, session pooler, transaction pooler
        (
            "postgresql://postgres:pw@db.abcdefgh.supabase.co:5432/postgres",
            "postgres://postgres:***@db.abcdefgh.supabase.co:5432/postgres",
            false,
        ),
        (
            "postgres://postgres.abcdefgh:pw@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
            "postgres://postgres.abcdefgh:***@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
            false,
        ),
        (
            "postgres://postgres.abcdefgh:pw@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1",
            "postgres://postgres.abcdefgh:***@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
            true,
        ),
        (
            "postgres://postgres:pw@db.abcdefgh.supabase.co:6543/postgres",
            "postgres://postgres:***@db.abcdefgh.supabase.co:6543/postgres",
            true,
        ),
        // Railway, public and private
        (
            "postgresql://postgres:pw@viaduct.proxy.rlwy.net:12345/railway",
            "postgres://postgres:***@viaduct.proxy.rlwy.net:12345/railway",
            false,
        ),
        (
            "postgresql://postgres:pw@postgres.railway.internal:5432/railway?connect_timeout=30",
            "postgres://postgres:***@postgres.railway.internal:5432/railway",
            false,
        ),
        // RDS
        (
            "postgres://app:pw@mydb.cluster-xyz.eu-west-1.rds.amazonaws.com:5432/app?sslmode=verify-full&sslrootcert=/certs/global-bundle.pem",
            "postgres://app:***@mydb.cluster-xyz.eu-west-1.rds.amazonaws.com:5432/app",
            false,
        ),
        // Local, Compose, sockets, addresses
        (
            "postgres://postgres:postgres@localhost:5432/zerostarter",
            "postgres://postgres:***@localhost:5432/zerostarter",
            false,
        ),
        (
            "postgres://postgres@my_database/app?schema=public&pool_timeout=10",
            "postgres://postgres@my_database:5432/app",
            false,
        ),
        (
            "postgres://u@%2Fvar%2Frun%2Fpostgresql/app",
            "postgres://u@/var/run/postgresql:5432/app",
            false,
        ),
        (
            "postgresql:///app?host=/tmp&user=u&password=p%20w",
            "postgres://u:***@/tmp:5432/app",
            false,
        ),
        (
            "postgres://u@[2001:db8::1]:6000/app",
            "postgres://u@[2001:db8::1]:6000/app",
            false,
        ),
        (
            "postgres://u:p%40%3A%2F%3F%23%25@h1:1,h2/app?target_session_attrs=read-write",
            "postgres://u:***@h1:1,h2:5432/app",
            false,
        ),
        (
            "postgres://h/app?ssl=true&uselibpqcompat=true&prepareThreshold=0&gssencmode=disable&supa=base-pooler.x",
            "postgres://h:5432/app",
            false,
        ),
    ] {
        let parsed = parse(url);
        assert_eq!(parsed.to_string(), shown, "{url}");
        assert_eq!(parsed.transaction_pooler_sign().is_some(), is_pooler, "{url}");
    }
}

/// As in libpq: a parameter wins over the same in front of the question mark.
#[test]
fn a_parameter_wins() {
    for (url, shown) in [
        (
            "postgres://u@localhost/db?host=/cloudsql/p:r:i",
            "postgres://u@/cloudsql/p:r:i:5432/db",
        ),
        (
            "postgres://u:p@localhost:5433/db?host=%2Fcloudsql%2Fp%3Ar%3Ai",
            "postgres://u:***@/cloudsql/p:r:i:5433/db",
        ),
        ("postgres://u@:5433/db?host=/tmp", "postgres://u@/tmp:5433/db"),
        ("postgres://u@a:1,b:2/db?host=c,d", "postgres://u@c:1,d:2/db"),
        ("postgres://u@a,b/db?host=c", "postgres://u@c:5432/db"),
        ("postgres://u@a:1,b:2/db?port=3", "postgres://u@a:3,b:3/db"),
        ("postgres://u@a:1,b/db?port=3,4", "postgres://u@a:3,b:4/db"),
        ("postgres://u@a:1,b/db", "postgres://u@a:1,b:5432/db"),
        ("postgres://u@a/db?user=v&dbname=e", "postgres://v@a:5432/e"),
        (
            "postgres://u@a/db?user=&dbname=&host=&port=&password=",
            "postgres://u@a:5432/db",
        ),
        ("postgres://u@a?dbname=e", "postgres://u@a:5432/e"),
    ] {
        assert_eq!(parse(url).to_string(), shown, "{url}");
    }
    let password = |url| parse(url).password.map(|password| password.expose().to_owned());
    assert_eq!(
        password("postgres://u:one@a/db?password=two").as_deref(),
        Some("two")
    );
    assert_eq!(
        password("postgres://u:one@a/db?password=").as_deref(),
        Some("one")
    );
}
