-- Better Auth's tables as ZeroStarter uses them: people, their sessions and credentials,
-- and the organizations and teams they belong to.
--
-- Keys are text because Better Auth makes them. Times are without time zone and hold UTC.
-- Every row that belongs to a person, an organization or a team goes when its owner goes.

-- People ---------------------------------------------------------------------------------

CREATE TABLE "user" (
    id             text      NOT NULL,
    name           text      NOT NULL,
    email          text      NOT NULL,
    email_verified boolean   NOT NULL DEFAULT false,
    image          text,
    role           text      DEFAULT 'user',
    banned         boolean,
    ban_reason     text,
    ban_expires    timestamp,
    created_at     timestamp NOT NULL DEFAULT now(),
    updated_at     timestamp NOT NULL DEFAULT now(),
    CONSTRAINT user_pkey PRIMARY KEY (id),
    CONSTRAINT user_email_unique UNIQUE (email)
);

-- A signed-in browser. The token is what its cookie carries.
CREATE TABLE session (
    id                     text      NOT NULL,
    expires_at             timestamp NOT NULL,
    token                  text      NOT NULL,
    created_at             timestamp NOT NULL DEFAULT now(),
    updated_at             timestamp NOT NULL,
    ip_address             text,
    user_agent             text,
    user_id                text      NOT NULL,
    active_organization_id text,
    active_team_id         text,
    impersonated_by        text,
    CONSTRAINT session_pkey PRIMARY KEY (id),
    CONSTRAINT session_token_unique UNIQUE (token),
    CONSTRAINT session_user_id_user_id_fk FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX "session_userId_idx" ON session (user_id);

-- One way to sign in: a password, or an account at an identity provider.
CREATE TABLE account (
    id                       text      NOT NULL,
    account_id               text      NOT NULL,
    provider_id              text      NOT NULL,
    user_id                  text      NOT NULL,
    access_token             text,
    refresh_token            text,
    id_token                 text,
    access_token_expires_at  timestamp,
    refresh_token_expires_at timestamp,
    scope                    text,
    password                 text,
    created_at               timestamp NOT NULL DEFAULT now(),
    updated_at               timestamp NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_user_id_user_id_fk FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX "account_userId_idx" ON account (user_id);

-- A pending proof, such as the link in a confirmation mail.
CREATE TABLE verification (
    id         text      NOT NULL,
    identifier text      NOT NULL,
    value      text      NOT NULL,
    expires_at timestamp NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT verification_pkey PRIMARY KEY (id)
);

CREATE INDEX verification_identifier_idx ON verification (identifier);

-- Organizations and teams ------------------------------------------------------------------

CREATE TABLE organization (
    id         text      NOT NULL,
    name       text      NOT NULL,
    slug       text      NOT NULL,
    logo       text,
    created_at timestamp NOT NULL,
    metadata   text,
    CONSTRAINT organization_pkey PRIMARY KEY (id),
    CONSTRAINT organization_slug_unique UNIQUE (slug)
);

-- The same as organization_slug_unique: Drizzle made both, and databases that exist have both.
CREATE UNIQUE INDEX organization_slug_uidx ON organization (slug);

CREATE TABLE team (
    id              text      NOT NULL,
    name            text      NOT NULL,
    organization_id text      NOT NULL,
    created_at      timestamp NOT NULL,
    updated_at      timestamp,
    CONSTRAINT team_pkey PRIMARY KEY (id),
    CONSTRAINT team_organization_id_organization_id_fk
        FOREIGN KEY (organization_id) REFERENCES organization (id) ON DELETE CASCADE
);

CREATE INDEX "team_organizationId_idx" ON team (organization_id);

CREATE TABLE team_member (
    id         text NOT NULL,
    team_id    text NOT NULL,
    user_id    text NOT NULL,
    created_at timestamp,
    CONSTRAINT team_member_pkey PRIMARY KEY (id),
    CONSTRAINT team_member_team_id_team_id_fk FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE CASCADE,
    CONSTRAINT team_member_user_id_user_id_fk FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX "teamMember_teamId_idx" ON team_member (team_id);
CREATE INDEX "teamMember_userId_idx" ON team_member (user_id);

CREATE TABLE member (
    id              text      NOT NULL,
    organization_id text      NOT NULL,
    user_id         text      NOT NULL,
    role            text      NOT NULL DEFAULT 'member',
    created_at      timestamp NOT NULL,
    CONSTRAINT member_pkey PRIMARY KEY (id),
    CONSTRAINT member_organization_id_organization_id_fk
        FOREIGN KEY (organization_id) REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT member_user_id_user_id_fk FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX "member_organizationId_idx" ON member (organization_id);
CREATE INDEX "member_userId_idx" ON member (user_id);

CREATE TABLE invitation (
    id              text      NOT NULL,
    organization_id text      NOT NULL,
    email           text      NOT NULL,
    role            text,
    team_id         text,
    status          text      NOT NULL DEFAULT 'pending',
    expires_at      timestamp NOT NULL,
    created_at      timestamp NOT NULL DEFAULT now(),
    inviter_id      text      NOT NULL,
    CONSTRAINT invitation_pkey PRIMARY KEY (id),
    CONSTRAINT invitation_organization_id_organization_id_fk
        FOREIGN KEY (organization_id) REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT invitation_inviter_id_user_id_fk FOREIGN KEY (inviter_id) REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX "invitation_organizationId_idx" ON invitation (organization_id);
CREATE INDEX invitation_email_idx ON invitation (email);
