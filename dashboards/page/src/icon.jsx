// Stands for react-inlinesvg: an icon by its path, from those that are part of the script.
import icons from 'icons';
import { forwardRef } from 'react';

// What the package lacks.
const right = icons['unicons/angle-double-right'];
icons['unicons/angle-double-left'] = [right[0], `<g transform="matrix(-1 0 0 1 24 0)">${right[1]}</g>`];

const Icon = forwardRef(function Icon({ src, title, innerRef, loader, onLoad, onError, cacheRequests, ...rest }, ref) {
  const name = /([^/]+\/[^/]+)\.svg$/.exec(src)?.[1].replace(/^solid\//, 'mono/');
  const [viewBox, content] = icons[name] ?? icons[`unicons/${name?.split('/')[1]}`] ?? ['0 0 24 24', ''];
  return (
    <svg ref={innerRef ?? ref} viewBox={viewBox} {...rest} dangerouslySetInnerHTML={{ __html: (title ? `<title>${escaped(title)}</title>` : '') + content }} />
  );
});

function escaped(text) {
  return text.replace(/[&<>]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[each]);
}

export const cacheStore = { clear() {} };
export default Icon;
