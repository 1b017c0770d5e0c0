/** What is used of the binding (`@napi-rs/keyring`, installed under the name `keytar`: docs/adr/0001). */
export interface KeychainEntry {
  getPassword(): Promise<string | null>;
  setPassword(secret: string): Promise<void>;
  deletePassword(): Promise<boolean>;
}
