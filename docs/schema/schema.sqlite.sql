-- Written from the migrations up to 11 for sqlite; do not edit.

CREATE TABLE users (
    id TEXT NOT NULL,
    login TEXT NOT NULL CHECK (length(login) <= 40),
    name TEXT NOT NULL CHECK (length(name) <= 255),
    email TEXT NOT NULL CHECK (length(email) <= 320),
    avatar_url TEXT NOT NULL,
    is_site_admin INTEGER NOT NULL,
    default_organization_id TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX users_login ON users (login);

CREATE TABLE organizations (
    id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) <= 40),
    name_key TEXT NOT NULL CHECK (length(name_key) <= 40),
    display_name TEXT NOT NULL CHECK (length(display_name) <= 255),
    kind TEXT NOT NULL CHECK (length(kind) <= 20),
    default_stack_permission INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX organizations_name ON organizations (name);
CREATE UNIQUE INDEX organizations_name_key ON organizations (name_key);

CREATE TABLE memberships (
    organization_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (length(role) <= 20),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id),
    CONSTRAINT memberships_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT memberships_fk_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_user_id ON memberships (user_id);

CREATE TABLE access_tokens (
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 20),
    hash BLOB NOT NULL CHECK (length(hash) <= 32),
    user_id TEXT NOT NULL,
    organization_id TEXT,
    team_id TEXT,
    name TEXT NOT NULL CHECK (length(name) <= 255),
    description TEXT NOT NULL,
    is_admin INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    issuer_id TEXT,
    PRIMARY KEY (id),
    CONSTRAINT access_tokens_fk_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) STRICT;
CREATE UNIQUE INDEX access_tokens_hash ON access_tokens (hash);
CREATE INDEX access_tokens_user_id_id ON access_tokens (user_id, id);
CREATE INDEX access_tokens_organization_id_id ON access_tokens (organization_id, id);
CREATE INDEX access_tokens_issuer_id_expires_at ON access_tokens (issuer_id, expires_at);

CREATE TABLE stacks (
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    project TEXT NOT NULL CHECK (length(project) <= 100),
    name TEXT NOT NULL CHECK (length(name) <= 100),
    live INTEGER,
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    active_update_id TEXT,
    running_update_id TEXT,
    resource_count INTEGER,
    last_update_at INTEGER,
    created_by TEXT,
    owner_id TEXT,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    notify_update_success INTEGER NOT NULL,
    notify_update_failure INTEGER NOT NULL,
    config_environment TEXT CHECK (length(config_environment) <= 255),
    config_secrets_provider TEXT,
    config_encrypted_key TEXT,
    config_encryption_salt TEXT,
    PRIMARY KEY (id),
    CONSTRAINT stacks_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
) STRICT;
CREATE UNIQUE INDEX stacks_organization_id_project_name_live ON stacks (organization_id, project, name, live);
CREATE INDEX stacks_organization_id_deleted_at ON stacks (organization_id, deleted_at);

CREATE TABLE stack_tags (
    stack_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) <= 40),
    value TEXT NOT NULL CHECK (length(value) <= 256),
    PRIMARY KEY (stack_id, name),
    CONSTRAINT stack_tags_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stack_tags_name_value ON stack_tags (name, value);

CREATE TABLE stack_grants (
    stack_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    permission INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (stack_id, user_id),
    CONSTRAINT stack_grants_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id),
    CONSTRAINT stack_grants_fk_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stack_grants_user_id ON stack_grants (user_id);

CREATE TABLE stack_former_names (
    organization_id TEXT NOT NULL,
    project TEXT NOT NULL CHECK (length(project) <= 100),
    name TEXT NOT NULL CHECK (length(name) <= 100),
    stack_id TEXT NOT NULL,
    renamed_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, project, name),
    CONSTRAINT stack_former_names_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stack_former_names_stack_id ON stack_former_names (stack_id);

CREATE TABLE audit_events (
    id TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (length(scope) <= 36),
    sequence INTEGER NOT NULL,
    action_slug TEXT NOT NULL CHECK (length(action_slug) <= 80),
    actor_kind TEXT NOT NULL CHECK (length(actor_kind) <= 20),
    actor_user_id TEXT,
    actor_login TEXT NOT NULL CHECK (length(actor_login) <= 255),
    actor_token_id TEXT,
    source_address TEXT CHECK (length(source_address) <= 64),
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) <= 32),
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX audit_events_scope_sequence ON audit_events (scope, sequence);
CREATE INDEX audit_events_scope_created_at ON audit_events (scope, created_at);

CREATE TABLE audit_chains (
    scope TEXT NOT NULL CHECK (length(scope) <= 36),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) <= 32),
    PRIMARY KEY (scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE domain_events (
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 80),
    organization_id TEXT,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE TABLE jobs (
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 80),
    unique_key TEXT CHECK (length(unique_key) <= 160),
    payload TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    locked_by TEXT,
    locked_until INTEGER,
    last_error TEXT,
    failed_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX jobs_unique_key ON jobs (unique_key);
CREATE INDEX jobs_due_at ON jobs (due_at);

CREATE TABLE server_values (
    name TEXT NOT NULL CHECK (length(name) <= 80),
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

CREATE TABLE updates (
    id TEXT NOT NULL,
    stack_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 20),
    is_preview INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (length(status) <= 20),
    end_reason TEXT CHECK (length(end_reason) <= 20),
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    journal_version INTEGER NOT NULL,
    lease_hash BLOB CHECK (length(lease_hash) <= 32),
    lease_expires_at INTEGER,
    requested_by TEXT,
    requested_login TEXT NOT NULL CHECK (length(requested_login) <= 255),
    client_version TEXT CHECK (length(client_version) <= 80),
    program TEXT NOT NULL,
    config TEXT NOT NULL,
    message TEXT NOT NULL,
    environment TEXT NOT NULL,
    resource_changes TEXT,
    resource_count INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT updates_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) STRICT;
CREATE INDEX updates_stack_id_version ON updates (stack_id, version);
CREATE INDEX updates_status_lease_expires_at ON updates (status, lease_expires_at);

CREATE TABLE state_versions (
    stack_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    update_id TEXT,
    size INTEGER NOT NULL,
    manifest BLOB NOT NULL,
    body BLOB,
    object TEXT CHECK (length(object) <= 160),
    resource_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (stack_id, version),
    CONSTRAINT state_versions_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) STRICT;

CREATE TABLE update_checkpoints (
    update_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    prefix BLOB NOT NULL,
    range_start INTEGER NOT NULL,
    range_end INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) <= 32),
    body BLOB,
    object TEXT CHECK (length(object) <= 160),
    resource_count INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (update_id),
    CONSTRAINT update_checkpoints_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) STRICT;

CREATE TABLE update_deltas (
    update_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) <= 32),
    body BLOB,
    object TEXT CHECK (length(object) <= 160),
    resource_count INTEGER NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (update_id, sequence),
    CONSTRAINT update_deltas_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) STRICT;

CREATE TABLE journal_segments (
    update_id TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) <= 32),
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    body BLOB,
    object TEXT CHECK (length(object) <= 160),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (update_id, digest),
    CONSTRAINT journal_segments_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) STRICT;
CREATE INDEX journal_segments_update_id_last_sequence ON journal_segments (update_id, last_sequence);

CREATE TABLE event_segments (
    update_id TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) <= 32),
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    body BLOB,
    object TEXT CHECK (length(object) <= 160),
    received_at INTEGER NOT NULL,
    PRIMARY KEY (update_id, digest),
    CONSTRAINT event_segments_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) STRICT;
CREATE INDEX event_segments_update_id_first_sequence_last_sequence ON event_segments (update_id, first_sequence, last_sequence);

CREATE TABLE data_keys (
    id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    master_version TEXT NOT NULL CHECK (length(master_version) <= 120),
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX data_keys_owner_id ON data_keys (owner_id);

CREATE TABLE stack_annotations (
    stack_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (length(kind) <= 100),
    source TEXT NOT NULL CHECK (length(source) <= 100),
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (stack_id, kind, source),
    CONSTRAINT stack_annotations_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) STRICT;

CREATE TABLE stack_references (
    stack_id TEXT NOT NULL,
    organization TEXT NOT NULL CHECK (length(organization) <= 40),
    project TEXT NOT NULL CHECK (length(project) <= 100),
    name TEXT NOT NULL CHECK (length(name) <= 100),
    PRIMARY KEY (stack_id, organization, project, name),
    CONSTRAINT stack_references_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stack_references_organization_project_name ON stack_references (organization, project, name);

CREATE TABLE projects (
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) <= 100),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT projects_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
) STRICT;
CREATE UNIQUE INDEX projects_organization_id_name ON projects (organization_id, name);

CREATE TABLE machine_token_names (
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) <= 40),
    token_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, name),
    CONSTRAINT machine_token_names_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE oidc_issuers (
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) <= 100),
    url TEXT NOT NULL CHECK (length(url) <= 500),
    issuer TEXT NOT NULL CHECK (length(issuer) <= 500),
    thumbprints TEXT NOT NULL,
    jwks TEXT,
    max_expiration INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT oidc_issuers_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT oidc_issuers_fk_created_by FOREIGN KEY (created_by) REFERENCES users (id)
) STRICT;
CREATE UNIQUE INDEX oidc_issuers_organization_id_issuer ON oidc_issuers (organization_id, issuer);
CREATE INDEX oidc_issuers_created_by ON oidc_issuers (created_by);

CREATE TABLE authorization_policies (
    id TEXT NOT NULL,
    issuer_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    policies TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT authorization_policies_fk_issuer_id FOREIGN KEY (issuer_id) REFERENCES oidc_issuers (id)
) STRICT;
CREATE UNIQUE INDEX authorization_policies_issuer_id ON authorization_policies (issuer_id);

CREATE TABLE audit_copies (
    destination TEXT NOT NULL CHECK (length(destination) <= 64),
    scope TEXT NOT NULL CHECK (length(scope) <= 36),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) <= 32),
    copied_at INTEGER NOT NULL,
    PRIMARY KEY (destination, scope)
) STRICT, WITHOUT ROWID;
