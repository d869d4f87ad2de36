export const ADA = "(select id from users where username = 'ada')"

/** What concerns the live sessions of `ada`, of `ben` or of everybody. */
export const concerning = [
  { sql: `update sessions set revoked_at = 1 where user_id = ${ADA}`, users: ['ada'] },
  { sql: `update sessions set expires_at = 1 where user_id = ${ADA}`, users: ['ada'] },
  { sql: `delete from sessions where user_id = ${ADA}`, users: ['ada'] },
  { sql: 'update sessions set revoked_at = 1', users: ['ada', 'ben'] },
  { sql: "update users set disabled_at = 1 where username = 'ada'", users: ['ada'] },
  { sql: "update users set full_name = 'Ada Lovelace' where username = 'ada'", users: ['ada'] },
  { sql: "update users set password_version = 1 where username = 'ada'", users: ['ada'] },
  { sql: "delete from users where username = 'ada'", users: ['ada'] },
  { sql: `delete from user_roles where user_id = ${ADA}`, users: ['ada'] },
  { sql: `insert into user_roles (user_id, role) values (${ADA}, 'user')`, users: ['ada'] },
  { sql: "update roles set scopes = '' where name = 'admin'", users: ['everybody'] },
  { sql: "insert into roles (name, scopes, description) values ('clerk', '', '')", users: ['everybody'] },
  { sql: "delete from roles where name = 'admin'", users: ['ada', 'ben', 'everybody'] }
]

/** What a log-in and a refresh write. */
export const unconcerning = [
  'update sessions set generation = 7, rotated_at = 1, last_used_at = 1, idle_expires_at = 1',
  "update users set last_login_at = 1, password_hash = 'another'",
  "insert into users (id, username, password_version, created_at, updated_at) values ('new', 'new', 0, 0, 0)",
  `insert into sessions (id, user_id, client_id, scope, generation, created_at, last_used_at, idle_expires_at, expires_at) values ('new', ${ADA}, '', '', 0, 0, 0, 0, 0)`
]
