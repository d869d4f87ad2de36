/** Full names and descriptions that are SQL too, and would do something else where a quotation mark ended a text. */
export const TEXTS = [
  "Ada O'Neill",
  "x', username = 'root",
  "x', email_verified_at = 1, username = 'root",
  "' or '1'='1' --",
  "'); drop table users; --",
  "x'||(select password_hash from users limit 1)||'x",
  'x", username = "root',
  "x\\', username = 'root",
  '$1 ?1 :id @id'
] as const

/** Addresses of e-mail, which may have quotation marks before the @. */
export const ADDRESSES = [
  "'or'1'='1'--@b.co",
  "o'neill@example.com",
  "'||username||'@b.co",
  "x'/**/or/**/1=1/**/--@b.co",
  "X'OR'1'='1@b.co",
  '$1?1@b.co'
] as const

/** Would be everywhere where a quotation mark ended the text before it; as text it comes after all names, addresses and ids. */
export const AFTER_ALL = "~' or 1=1 --"
