// Table: Grafana's, of one frame; of several, one is chosen below it.
import { cacheFieldDisplayNames, getFrameDisplayName } from '@grafana/data';
import { Combobox } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { useEffect, useMemo, useState } from 'react';

const CHOICE = 40;

export function TablePanel({ frames, options, fieldConfig, width, height, timeRange, renderCounter }) {
  const [chosen, setChosen] = useState(options.frameIndex ?? 0);
  const [sortBy, setSortBy] = useState(options.sortBy ?? []);
  const named = useMemo(() => {
    cacheFieldDisplayNames(frames);
    return frames;
  }, [frames]);
  useEffect(() => setSortBy(options.sortBy ?? []), [options.sortBy]);
  const several = named.length > 1;
  const frame = named[Math.min(chosen, named.length - 1)];
  return (
    <>
      <TableNG
        data={frame}
        width={width}
        height={height - (several ? CHOICE : 0)}
        noHeader={options.showHeader === false}
        showTypeIcons={options.showTypeIcons}
        resizable={true}
        initialSortBy={sortBy}
        onSortByChange={setSortBy}
        cellHeight={options.cellHeight ?? 'sm'}
        maxRowHeight={options.maxRowHeight}
        frozenColumns={options.frozenColumns?.left}
        enablePagination={options.enablePagination ?? options.footer?.enablePagination}
        timeRange={timeRange}
        fieldConfig={fieldConfig}
        structureRev={renderCounter}
        disableSanitizeHtml={false}
        getActions={() => []}
      />
      {several && (
        <div style={{ paddingTop: 8, width: 260 }}>
          <Combobox options={named.map((each, index) => ({ value: index, label: getFrameDisplayName(each, index) }))} value={Math.min(chosen, named.length - 1)} onChange={({ value }) => setChosen(value)} />
        </div>
      )}
    </>
  );
}
