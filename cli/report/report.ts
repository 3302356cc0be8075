export async function renderReport(folder: string): Promise<string> {
  return folder
}
