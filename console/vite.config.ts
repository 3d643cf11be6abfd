import { defineConfig } from 'vite';

/** Builds the page: every address in it is relative, as it is served below whatever path its bridge is given. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome120', 'firefox121', 'safari17'],
    // What it would write inline, or fetch again, a browser of these days does by itself.
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    emptyOutDir: true,
    // What several views share comes at once: to ask for it piece by piece takes longer than to have it.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'page', test: /preact|console\/src\/(?!views\/|main)/ },
            // All of them say much alike, and are smaller together.
            { name: 'views', test: /console\/src\/views\// },
          ],
        },
      },
    },
  },
});
