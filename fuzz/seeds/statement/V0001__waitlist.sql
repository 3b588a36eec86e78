-- People who asked to be told when the product opens.

CREATE TABLE waitlist (
    id         text      NOT NULL,
    email      text      NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT waitlist_pkey PRIMARY KEY (id),
    CONSTRAINT waitlist_email_unique UNIQUE (email)
);
