// A JPEG, decoded off this thread. Where the browser has ImageDecoder (not on plain http) that takes a third of what
// createImageBitmap does, whose bytes go through the browser's own process.

const TYPE = "image/jpeg";

/** What `drawImage` takes, and has to be closed. */
export const decode = "ImageDecoder" in self ? quickly : plainly;

async function quickly(data) {
  const decoder = new ImageDecoder({ data, type: TYPE, colorSpaceConversion: "none" });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}

function plainly(data) {
  return createImageBitmap(new Blob([data], { type: TYPE }), { colorSpaceConversion: "none" });
}
