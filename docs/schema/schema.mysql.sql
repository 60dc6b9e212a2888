-- Written from the migrations up to 11 for mysql; do not edit.

CREATE TABLE users (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    login VARCHAR(40) NOT NULL,
    name VARCHAR(255) NOT NULL,
    email VARCHAR(320) NOT NULL,
    avatar_url LONGTEXT NOT NULL,
    is_site_admin TINYINT NOT NULL,
    default_organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY users_login (login)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE organizations (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(40) NOT NULL,
    name_key VARCHAR(40) NOT NULL,
    display_name VARCHAR(255) NOT NULL,
    kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    default_stack_permission BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY organizations_name (name),
    UNIQUE KEY organizations_name_key (name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE memberships (
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    role VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id),
    KEY memberships_user_id (user_id),
    CONSTRAINT memberships_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT memberships_fk_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE access_tokens (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hash VARBINARY(32) NOT NULL,
    user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    team_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    name VARCHAR(255) NOT NULL,
    description LONGTEXT NOT NULL,
    is_admin TINYINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at BIGINT,
    issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    PRIMARY KEY (id),
    UNIQUE KEY access_tokens_hash (hash),
    KEY access_tokens_user_id_id (user_id, id),
    KEY access_tokens_organization_id_id (organization_id, id),
    KEY access_tokens_issuer_id_expires_at (issuer_id, expires_at),
    CONSTRAINT access_tokens_fk_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE stacks (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    project VARCHAR(100) NOT NULL,
    name VARCHAR(100) NOT NULL,
    live BIGINT,
    version BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    active_update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    running_update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    resource_count BIGINT,
    last_update_at BIGINT,
    created_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    owner_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    notify_update_success TINYINT NOT NULL,
    notify_update_failure TINYINT NOT NULL,
    config_environment VARCHAR(255),
    config_secrets_provider LONGTEXT,
    config_encrypted_key LONGTEXT,
    config_encryption_salt LONGTEXT,
    PRIMARY KEY (id),
    UNIQUE KEY stacks_organization_id_project_name_live (organization_id, project, name, live),
    KEY stacks_organization_id_deleted_at (organization_id, deleted_at),
    CONSTRAINT stacks_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE stack_tags (
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(40) NOT NULL,
    value VARCHAR(256) NOT NULL,
    PRIMARY KEY (stack_id, name),
    KEY stack_tags_name_value (name, value(191)),
    CONSTRAINT stack_tags_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE stack_grants (
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    permission BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (stack_id, user_id),
    KEY stack_grants_user_id (user_id),
    CONSTRAINT stack_grants_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id),
    CONSTRAINT stack_grants_fk_user_id FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE stack_former_names (
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    project VARCHAR(100) NOT NULL,
    name VARCHAR(100) NOT NULL,
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    renamed_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, project, name),
    KEY stack_former_names_stack_id (stack_id),
    CONSTRAINT stack_former_names_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE audit_events (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scope VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence BIGINT NOT NULL,
    action_slug VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor_kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor_user_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    actor_login VARCHAR(255) NOT NULL,
    actor_token_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    source_address VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    subject LONGTEXT NOT NULL,
    details LONGTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY audit_events_scope_sequence (scope, sequence),
    KEY audit_events_scope_created_at (scope, created_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE audit_chains (
    scope VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    PRIMARY KEY (scope)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE domain_events (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    payload LONGTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE jobs (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    unique_key VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin,
    payload LONGTEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    locked_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    locked_until BIGINT,
    last_error LONGTEXT,
    failed_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY jobs_unique_key (unique_key),
    KEY jobs_due_at (due_at)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE server_values (
    name VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value LONGTEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE updates (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    is_preview TINYINT NOT NULL,
    status VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    end_reason VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin,
    version BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    journal_version BIGINT NOT NULL,
    lease_hash VARBINARY(32),
    lease_expires_at BIGINT,
    requested_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    requested_login VARCHAR(255) NOT NULL,
    client_version VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin,
    program LONGTEXT NOT NULL,
    config LONGTEXT NOT NULL,
    message LONGTEXT NOT NULL,
    environment LONGTEXT NOT NULL,
    resource_changes LONGTEXT,
    resource_count BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (id),
    KEY updates_stack_id_version (stack_id, version),
    KEY updates_status_lease_expires_at (status, lease_expires_at),
    CONSTRAINT updates_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE state_versions (
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version BIGINT NOT NULL,
    update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
    size BIGINT NOT NULL,
    manifest LONGBLOB NOT NULL,
    body LONGBLOB,
    object VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin,
    resource_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (stack_id, version),
    CONSTRAINT state_versions_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE update_checkpoints (
    update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence BIGINT NOT NULL,
    prefix LONGBLOB NOT NULL,
    range_start BIGINT NOT NULL,
    range_end BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    body LONGBLOB,
    object VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin,
    resource_count BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (update_id),
    CONSTRAINT update_checkpoints_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE update_deltas (
    update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    body LONGBLOB,
    object VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin,
    resource_count BIGINT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (update_id, sequence),
    CONSTRAINT update_deltas_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE journal_segments (
    update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    digest VARBINARY(32) NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    body LONGBLOB,
    object VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (update_id, digest),
    KEY journal_segments_update_id_last_sequence (update_id, last_sequence),
    CONSTRAINT journal_segments_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE event_segments (
    update_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    digest VARBINARY(32) NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    body LONGBLOB,
    object VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (update_id, digest),
    KEY event_segments_update_id_first_sequence_last_sequence (update_id, first_sequence, last_sequence),
    CONSTRAINT event_segments_fk_update_id FOREIGN KEY (update_id) REFERENCES updates (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE data_keys (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    master_version VARCHAR(120) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    wrapped LONGBLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY data_keys_owner_id (owner_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE stack_annotations (
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(100) NOT NULL,
    source VARCHAR(100) NOT NULL,
    version BIGINT NOT NULL,
    body LONGTEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (stack_id, kind, source),
    CONSTRAINT stack_annotations_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE stack_references (
    stack_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization VARCHAR(40) NOT NULL,
    project VARCHAR(100) NOT NULL,
    name VARCHAR(100) NOT NULL,
    PRIMARY KEY (stack_id, organization, project, name),
    KEY stack_references_organization_project_name (organization, project, name),
    CONSTRAINT stack_references_fk_stack_id FOREIGN KEY (stack_id) REFERENCES stacks (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE projects (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(100) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY projects_organization_id_name (organization_id, name),
    CONSTRAINT projects_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE machine_token_names (
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(40) NOT NULL,
    token_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, name),
    CONSTRAINT machine_token_names_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE oidc_issuers (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(100) NOT NULL,
    url VARCHAR(500) NOT NULL,
    issuer VARCHAR(500) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    thumbprints LONGTEXT NOT NULL,
    jwks LONGTEXT,
    max_expiration BIGINT NOT NULL,
    created_by CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (id),
    UNIQUE KEY oidc_issuers_organization_id_issuer (organization_id, issuer),
    KEY oidc_issuers_created_by (created_by),
    CONSTRAINT oidc_issuers_fk_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT oidc_issuers_fk_created_by FOREIGN KEY (created_by) REFERENCES users (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE authorization_policies (
    id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    issuer_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    organization_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version BIGINT NOT NULL,
    policies LONGTEXT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY authorization_policies_issuer_id (issuer_id),
    CONSTRAINT authorization_policies_fk_issuer_id FOREIGN KEY (issuer_id) REFERENCES oidc_issuers (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE audit_copies (
    destination VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scope VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence BIGINT NOT NULL,
    hash VARBINARY(32) NOT NULL,
    copied_at BIGINT NOT NULL,
    PRIMARY KEY (destination, scope)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
