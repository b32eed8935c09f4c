// MathJax 2 as nbclassic ships it: one family of fonts, and it is told so before it loads.
window.MathJax = {
  messageStyle: "none",
  showMathMenu: false,
  TeX: { equationNumbers: { autoNumber: "AMS", useLabelIds: true } },
  tex2jax: {
    inlineMath: [["$", "$"], ["\\(", "\\)"]],
    displayMath: [["$$", "$$"], ["\\[", "\\]"]],
    processEscapes: true,
    processEnvironments: true,
    skipTags: ["script", "noscript", "style", "textarea", "pre", "code"],
  },
  "HTML-CSS": { availableFonts: [], preferredFont: null, imageFont: null, webFont: "STIX-Web", linebreaks: { automatic: true } },
}
