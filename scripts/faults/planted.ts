export interface Plant {
  plant: string;
  caught: boolean;
  by: string;
}
export async function provePlanted(_say: (text: string) => void): Promise<Plant[]> {
  return await Promise.resolve([]);
}
