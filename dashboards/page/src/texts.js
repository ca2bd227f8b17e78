// Words of the page, and those of Grafana's components that a dashboard shows, in the languages of the dashboards.
import i18next from 'i18next';
import { initPluginTranslations } from '@grafana/i18n';
import { initReactI18next } from 'react-i18next';

const WORDS = {
  en: {
    all: 'All', dashboards: 'Dashboards', dark: 'Dark', light: 'Light', language: '中文', theme: 'Change colours',
    noData: 'No data', notDrawn: 'Not drawn here', failed: 'No answer', loading: 'Loading…', links: 'Links',
    ended: 'The data ends at {{time}}. That is "now" here.', replaced: '{{name}}: the value of the link is not in this store', backwards: 'The range of the link is none, or ends before it begins; the last 6 hours are shown',
    notHonoured: 'Not honoured here', unknown: 'There is no dashboard {{uid}}. Choose one above.', drawnWith: "Drawn with Grafana's components",
    missing: 'The panel is missing a time or a number column', noTime: 'no column of times', noNumber: 'no column of numbers', openPanel: 'Link of the panel',
  },
  zh: {
    all: '全部', dashboards: '儀表板', dark: '深色', light: '淺色', language: 'English', theme: '切換配色',
    noData: '沒有資料', notDrawn: '此處無法繪製', failed: '查詢失敗', loading: '載入中…', links: '連結',
    ended: '資料到 {{time}} 為止，此頁以該時刻為「現在」。', replaced: '{{name}}：連結中的值不在此資料庫', backwards: '連結中的時間範圍無效或結束早於開始，改為顯示過去 6 小時',
    notHonoured: '此處未支援', unknown: '沒有儀表板 {{uid}}，請從上方選一個。', drawnWith: '以 Grafana 的元件繪製',
    missing: '缺少時間欄或數值欄', noTime: '沒有時間欄', noNumber: '沒有數值欄', openPanel: '面板連結',
  },
};

const GRAFANA_ZH = {
  'combobox.clear.title': '清除', 'combobox.options.no-found': '沒有符合的選項', 'combobox.options.loading': '載入選項…',
  'multicombobox.all.title': '全部', 'multicombobox.all.title-filtered': '全部（已篩選）', 'multicombobox.clear.title': '全部清除',
  'refresh-picker.off-option.label': '關閉', 'refresh-picker.off-option.aria-label': '關閉自動更新', 'refresh-picker.tooltip.interval-selected': '設定自動更新間隔',
  'refresh-picker.tooltip.turned-off': '自動更新已關閉', 'refresh-picker.aria-label.choose-interval': '選擇自動更新間隔',
  'time-picker.absolute.title': '自訂時間範圍', 'time-picker.absolute.recent-title': '最近使用的時間範圍', 'time-picker.calendar.next-month': '下個月',
  'time-picker.calendar.previous-month': '上個月', 'time-picker.calendar.select-time': '選擇時間範圍', 'time-picker.calendar.cancel-button': '取消', 'time-picker.calendar.apply-button': '套用',
  'time-picker.content.filter-placeholder': '搜尋時間範圍', 'time-picker.copy-paste.tooltip-copy': '複製時間範圍', 'time-picker.copy-paste.tooltip-paste': '貼上時間範圍',
  'time-picker.footer.time-zone-option': '時區', 'time-picker.footer.time-zone-selection': '選擇時區', 'time-picker.footer.change-settings-button': '變更時間設定',
  'time-picker.footer.fiscal-year-option': '會計年度', 'time-picker.footer.fiscal-year-start': '會計年度起始月',
  'time-picker.range-content.from-input': '從', 'time-picker.range-content.to-input': '到', 'time-picker.range-content.apply-button': '套用時間範圍', 'time-picker.range-content.open-input-calendar': '開啟日曆',
  'time-picker.range-content.range-error': '起始不可晚於結束', 'time-picker.range-content.default-error': '請輸入日期或 now',
  'time-picker.range-picker.backwards-time-aria-label': '往前移', 'time-picker.range-picker.forwards-time-aria-label': '往後移', 'time-picker.range-picker.zoom-out-button': '放大時間範圍',
  'time-picker.range-picker.zoom-out-tooltip': '放大時間範圍', 'time-picker.range-picker.zoom-out-tooltip-new': '放大時間範圍', 'time-picker.range-picker.to': '到', 'time-picker.range-picker.current-time-selected': '時間範圍：{{currentTimeRange}}',
  'time-picker.time-range.from-to': '{{timeOptionFrom}} 至 {{timeOptionTo}}',
  'time-picker.zone.select-aria-label': '選擇時區', 'time-picker.zone.select-search-input': '輸入國家或城市', 'time-picker.content.empty-recent-list-info': '尚無最近使用的時間範圍。', 'time-picker.content.empty-recent-list-docs': '也可輸入相對時間，例如 now-7d、now/d。',
  'grafana-ui.panel-menu.label': '面板「{{ title }}」的選單', 'grafana-ui.panel-chrome.ariaLabel-panel-loading': '載入中', 'grafana-ui.pagination.next-page': '下一頁', 'grafana-ui.pagination.previous-page': '上一頁',
  'grafana-ui.table.no-values-label': '沒有值', 'grafana-ui.table.filter-popup-apply': '確定', 'grafana-ui.table.filter-popup-cancel': '取消', 'grafana-ui.table.filter-popup-clear': '清除篩選', 'grafana-ui.table.filter-popup-input-placeholder': '篩選值',
  'grafana-ui.table.filter.select-all': '全選', 'grafana-ui.table.cell-inspect-tooltip': '檢視值', 'grafana-ui.viz-tooltip.timestamp': '時間',
};
// In place of a link to Grafana's own documentation.
const GRAFANA_EN = { 'time-picker.content.empty-recent-list-docs': 'Ends may be relative: now-7d, now/d.' };
// Ranges that are offered: from, to, and what each is called.
const RANGES = [
  ['now-6h', 'now', '過去 6 小時', 'Last 6 hours'], ['now-24h', 'now', '過去 24 小時', 'Last 24 hours'], ['now-2d', 'now', '過去 2 天', 'Last 2 days'], ['now-7d', 'now', '過去 7 天', 'Last 7 days'],
  ['now-14d', 'now', '過去 14 天', 'Last 14 days'], ['now-30d', 'now', '過去 30 天', 'Last 30 days'], ['now-90d', 'now', '過去 90 天', 'Last 90 days'], ['now-180d', 'now', '過去 180 天', 'Last 180 days'],
  ['now-1y', 'now', '過去 1 年', 'Last year'], ['now/d', 'now', '今天至今', 'Today so far'], ['now-1d/d', 'now-1d/d', '昨天', 'Yesterday'], ['now/w', 'now', '本週至今', 'This week so far'],
  ['now-1w/w', 'now-1w/w', '上週', 'Previous week'], ['now/M', 'now', '本月至今', 'This month so far'], ['now-1M/M', 'now-1M/M', '上個月', 'Previous month'], ['now/y', 'now', '今年至今', 'This year so far'],
];
const RANGE_ZH = {
  lastNMinutes: '過去 {{count}} 分鐘', lastNHours: '過去 {{count}} 小時', lastNDays: '過去 {{count}} 天', lastNMonths: '過去 {{count}} 個月', lastNYears: '過去 {{count}} 年',
  'getBaseRangeOptions.today': '今天', 'getBaseRangeOptions.todaySoFar': '今天至今', 'getBaseRangeOptions.thisWeek': '本週', 'getBaseRangeOptions.thisWeekSoFar': '本週至今', 'getBaseRangeOptions.thisMonth': '本月',
  'getBaseRangeOptions.thisMonthSoFar': '本月至今', 'getBaseRangeOptions.thisYear': '今年', 'getBaseRangeOptions.thisYearSoFar': '今年至今', 'getBaseRangeOptions.yesterday': '昨天', 'getBaseRangeOptions.dayBeforeYesterday': '前天',
  'getBaseRangeOptions.thisDayLastWeek': '上週的今天', 'getBaseRangeOptions.previousWeek': '上週', 'getBaseRangeOptions.previousMonth': '上個月', 'getBaseRangeOptions.previousYear': '去年',
};

let words = WORDS.en;

// Sets the language of everything that is drawn from now on: that of the dashboards, such as `zh` or `en`.
export async function speak(language) {
  const chinese = language.startsWith('zh');
  words = chinese ? WORDS.zh : WORDS.en;
  document.documentElement.lang = chinese ? 'zh-Hant-TW' : 'en';
  const prefixed = (prefix, texts) => Object.fromEntries(Object.entries(texts).map(([key, text]) => [prefix + key, text]));
  const zh = {
    ...GRAFANA_ZH,
    ...prefixed('grafana-data.datetime.rangeutils.', RANGE_ZH),
  };
  await i18next.use(initReactI18next).init({
    lng: chinese ? 'zh-Hant' : 'en-US',
    fallbackLng: 'en-US',
    ns: ['page'],
    defaultNS: 'page',
    keySeparator: false,
    returnEmptyString: false,
    interpolation: { escapeValue: false },
    resources: { 'zh-Hant': { page: zh }, 'en-US': { page: GRAFANA_EN } },
  });
  await initPluginTranslations('page', []);
}

// One of the page's own texts.
export function text(key, values = {}) {
  return words[key].replace(/\{\{(\w+)\}\}/g, (_, name) => values[name]);
}

// The ranges that the picker offers, in the page's language.
export function quickRanges() {
  return RANGES.map(([from, to, zh, en]) => ({ from, to, display: words === WORDS.zh ? zh : en }));
}
